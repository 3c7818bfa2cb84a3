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
  side(std::string whose, const measurement& what) : whose_(std::move(whose)), what_(what) {}

  void run(bool counts) {
    if (!what_ || !problem_.empty()) return;
    try {
      const double got = what_();
      if (counts) runs_.push_back(got);
    } catch (const std::exception& why) {
      problem_ = whose_ + ": " + why.what();
    }
  }
  std::optional<samples> result() const {
    return !what_ || !problem_.empty() ? std::nullopt : std::optional(samples::of(runs_));
  }
  const std::string& problem() const { return problem_; }

 private:
  std::string whose_;
  const measurement& what_;
  std::vector<double> runs_;
  std::string problem_;
};

/// What the figure is compared with; a nameless one where it has only a value.
std::vector<baseline> baselines_of(const figure& what) {
  std::vector<baseline> all{{what.baseline, what.peer, what.target}};
  all.insert(all.end(), what.more.begin(), what.more.end());
  return all;
}

void run_in_turn(const figure& what, int runs, side& ours, std::vector<side>& peers) {
  for (int n = what.warm_up ? -1 : 0; n < runs; ++n) {
    ours.run(n >= 0);
    for (side& peer : peers) peer.run(n >= 0);
  }
}

}  // namespace

std::vector<row> measure(const figure& what, int runs) {
  const auto baselines = baselines_of(what);
  std::vector<row> rows;
  for (const auto& one : baselines) {
    rows.push_back({what.group, what.name, what.unit, one.name, one.target, {}, {}, {}});
  }
  try {
    if (what.before) what.before();
    side ours("not measured", what.ours);
    std::vector<side> peers;
    for (const auto& one : baselines) peers.emplace_back(one.name, one.run);
    run_in_turn(what, runs, ours, peers);
    for (std::size_t n = 0; n < rows.size(); ++n) {
      rows[n].value = ours.result();
      rows[n].baseline_value = peers[n].result();
      rows[n].missing = ours.problem().empty() ? peers[n].problem() : ours.problem();
    }
  } catch (const std::exception& why) {
    for (row& one : rows) one.missing = std::string("not measured: ") + why.what();
  }
  if (what.after) what.after();
  return rows;
}

}  // namespace weft::bench
