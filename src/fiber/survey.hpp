#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <source_location>
#include <string>
#include <vector>

#include <weft/core/stack_trace.hpp>
#include <weft/fiber/dump.hpp>

namespace weft::inline v1::detail {

class fiber_block;
class inspection;
class runtime;
class scheduler;

/// What dump_fibers() and the deadlock report tell of the fibers of a run.
///
/// Of all fibers only ids are kept; after choose(), the details of those that will be shown. The map of
/// details does not change its shape from then on, and each entry is written by one loop.
class survey {
 public:
  /// What there is to say of the fibers of `run`. On the thread of one of its loops; blocks it until the
  /// others have looked at the stacks of their fibers. A loop that does not come back to its thread
  /// within a second is left out: its fibers are shown without stacks.
  static std::string of(runtime& run, dump_options options);

  /// Keeps the stacks of the fibers of `here`, on its thread; several loops may do so at once.
  void look(scheduler& here);

 private:
  survey(runtime& run, dump_options options) : run_(run), options_(options) {}

  /// Counts the fibers by what they do.
  void count();
  /// Decides which fibers are shown: the oldest.
  void choose();
  /// Keeps what any thread can tell of those.
  void describe();
  /// Has each loop look at its own.
  void ask_loops();
  std::string text() const;

  struct known {
    std::uint64_t id;
    std::uint64_t parent_id;
  };
  struct details {
    std::string name = {};
    std::string state = {};  // "waits in channel::pop"
    std::source_location made_at = {};
    std::size_t stack_bytes = 0;  // 0: has no stack
    std::size_t stack_used = 0;
    std::size_t stack_high_water = 0;
    stack_trace trace = {};
  };
  static std::string state_of(const scheduler& of, const fiber_block& one);
  void look_at(fiber_block& one, inspection& stacks, details& into) const;
  const known* find(std::uint64_t id) const noexcept;
  std::string title(std::uint64_t id) const;
  std::string makers(const known& one) const;
  std::string stack_line(const details& one) const;

  runtime& run_;
  const dump_options options_;
  std::vector<known> all_;  // by id once chosen
  std::map<std::string, std::size_t> states_;
  std::size_t shown_ = 0;                     // the first that many of all_
  std::map<std::uint64_t, details> details_;  // of the shown ones and their makers
};

}  // namespace weft::inline v1::detail
