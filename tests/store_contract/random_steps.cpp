#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "store_contract/folder.hpp"
#include "store_contract/store_contract.hpp"
#include "store_contract/store_model.hpp"

// Random runs over a store and its model. WEFT_STORE_SEED=n takes that run only. A run that fails is
// made shorter, as long as it fails, and printed.

namespace weft::jobs {

std::vector<random_step> random_steps(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  // Claims and ends come more often, or nothing would ever end.
  const std::vector<double> weights{6, 6, 8, 2, 2, 1, 0.5, 0.5, 3, 0.7, 1, 3, 1, 0.7, 0.5};
  std::discrete_distribution<int> kinds(weights.begin(), weights.end());
  std::vector<random_step> steps;
  while (steps.size() < count) {
    const auto what = static_cast<random_step::kind>(kinds(random));
    const unsigned pick = random() % 1000;
    steps.push_back({what, pick, static_cast<unsigned>(random() % 1000)});
  }
  return steps;
}

namespace {

constexpr std::size_t steps_per_run = 150;

std::optional<std::string> difference(store& with, const std::vector<random_step>& steps) {
  store_model model;
  for (std::size_t index = 0; index < steps.size(); ++index) {
    if (const auto what = model.step(with, steps[index])) {
      return "after step " + std::to_string(index + 1) + ", " + to_string(steps[index]) +
             ", these differ: " + *what;
    }
  }
  return std::nullopt;
}

/// Leaves out what the failure does not need: halves first, single steps last.
template <typename Fails>
std::vector<random_step> shortened(std::vector<random_step> steps, const Fails& fails) {
  for (std::size_t length = steps.size() / 2; length > 0; length /= 2) {
    for (std::size_t at = 0; at + length <= steps.size();) {
      auto fewer = steps;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(length));
      if (fails(fewer)) {
        steps = std::move(fewer);
      } else {
        at += length;
      }
    }
  }
  return steps;
}

}  // namespace

TEST_P(store_contract, random_steps_lead_where_the_model_says) {
  const auto run = [](const std::vector<random_step>& steps) {
    const std::string folder = store_contract_support::make_folder();
    auto fresh = GetParam().open(folder);
    auto what = difference(*fresh, steps);
    fresh.reset();
    const auto problems = GetParam().problems(folder);
    if (!what && !problems.empty()) what = problems.front();
    std::filesystem::remove_all(folder);
    return what;
  };
  const char* const only = std::getenv("WEFT_STORE_SEED");
  const auto first = only != nullptr ? static_cast<unsigned>(std::strtoul(only, nullptr, 10)) : 1;
  for (unsigned seed = first; seed < first + (only != nullptr ? 1 : GetParam().random_runs); ++seed) {
    const auto steps = random_steps(seed, steps_per_run);
    if (!run(steps)) continue;
    const auto fewer = shortened(steps, [&](const auto& some) { return run(some).has_value(); });
    std::string text;
    for (const auto& one : fewer) text += "  " + to_string(one) + ",\n";
    FAIL() << "seed " << seed << ": " << *run(fewer) << "\n" << text;
  }
}

}  // namespace weft::jobs
