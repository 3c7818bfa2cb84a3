#include "support/row.hpp"

#include <algorithm>

#include "support/measure.hpp"

namespace weft::bench {

samples samples::of(const std::vector<double>& runs) {
  return {bench::median(runs), *std::min_element(runs.begin(), runs.end()),
          *std::max_element(runs.begin(), runs.end())};
}

std::optional<double> row::ratio() const {
  if (!value || !baseline_value || baseline_value->median == 0) return std::nullopt;
  return value->median / baseline_value->median;
}

std::optional<bool> row::met() const {
  std::optional<double> reached;
  if (target.of == target::kind::ratio) reached = ratio();
  if (target.of == target::kind::value && value) reached = value->median;
  if (!reached) return std::nullopt;
  return target.is == target::side::at_most ? *reached <= target.number : *reached >= target.number;
}

namespace {

/// One side of a figure. The first problem ends it: a side is measured in full or not at all.
class side {
 public:
  side(const char* whose, const measurement& what) : whose_(whose), what_(what) {}

  void run(bool counts) {
    if (!what_ || !problem_.empty()) return;
    try {
      const double got = what_();
      if (counts) runs_.push_back(got);
    } catch (const std::exception& why) {
      problem_ = std::string(whose_) + ": " + why.what();
    }
  }
  std::optional<samples> result() const {
    return !what_ || !problem_.empty() ? std::nullopt : std::optional(samples::of(runs_));
  }
  const std::string& problem() const { return problem_; }

 private:
  const char* whose_;
  const measurement& what_;
  std::vector<double> runs_;
  std::string problem_;
};

}  // namespace

row measure(const figure& what, int runs) {
  row made{what.group, what.name, what.unit, what.baseline, what.target, {}, {}, {}};
  try {
    if (what.before) what.before();
    side ours("not measured", what.ours);
    side peer(what.baseline.c_str(), what.peer);
    for (int n = -1; n < runs; ++n) {
      ours.run(n >= 0);
      peer.run(n >= 0);
    }
    made.value = ours.result();
    made.baseline_value = peer.result();
    made.missing = ours.problem().empty() ? peer.problem() : ours.problem();
  } catch (const std::exception& why) {
    made.missing = std::string("not measured: ") + why.what();
  }
  if (what.after) what.after();
  return made;
}

}  // namespace weft::bench
