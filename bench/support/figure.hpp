#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

// How a figure is declared: a static `const bench::add` in any file of the group's folder.
//
//     const weft::bench::add yields{{
//         .group = "fibers", .name = "yield, 2 fibers", .unit = "ns",
//         .ours = [] { return ns_per(1'000'000, [] { ... }); },
//         .baseline = "Boost.Fiber", .peer = [] { return ns_per(...); },
//         .target = weft::bench::at_most_times(0.1)}};
//
// A figure with several baselines has `.more = {{"Go", peer, target}, ...}` and a row for each.

namespace weft::bench {

/// What a figure has to reach: as a ratio to its baseline, or as a value.
struct target {
  enum class kind : unsigned char { none, ratio, value };
  enum class side : unsigned char { at_most, at_least };
  kind of = kind::none;
  side is = side::at_most;
  double number = 0;
};

inline target at_most_times(double ratio) { return {target::kind::ratio, target::side::at_most, ratio}; }
inline target at_least_times(double ratio) { return {target::kind::ratio, target::side::at_least, ratio}; }
inline target at_most(double value) { return {target::kind::value, target::side::at_most, value}; }
inline target at_least(double value) { return {target::kind::value, target::side::at_least, value}; }

/// Thrown by a measurement that cannot be made here; the row says why.
class unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One measured run of one side; gives the figure in its unit.
using measurement = std::function<double()>;

/// Something that a figure is compared with.
struct baseline {
  std::string name;
  measurement run;  ///< may throw unavailable
  bench::target target = {};
};

/// One figure: a row of the table for each thing it is compared with.
struct figure {
  std::string group;
  std::string name;
  std::string unit;
  measurement ours;
  std::string baseline = {};  ///< name of the peer; empty: there is none
  measurement peer = {};      ///< measured in turn with `ours`; may throw unavailable
  bench::target target = {};
  std::vector<bench::baseline> more = {};  ///< further baselines; measured in the same runs, a row each
  bool warm_up = true;                ///< false: each run is a process of its own, so the first one counts
  bool once = false;                  ///< takes minutes: one run, however many are asked for
  std::function<void()> before = {};  ///< once, before the runs of this figure; may throw unavailable
  std::function<void()> after = {};   ///< once, afterwards, in any case
  std::string store = {};             ///< of jobs: the kind of database it measures; empty: none
};

/// All figures of the program, in order of declaration within a file.
std::vector<figure>& figures();

/// Declares a figure.
struct add {
  explicit add(figure one) { figures().push_back(std::move(one)); }
};

}  // namespace weft::bench
