#include "http/shedding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace weft::http::detail {
namespace {

using namespace std::chrono_literals;
using time_of_day = steady_clock::duration;  // since the beginning of a test

constexpr time_of_day service = 1ms;
constexpr time_of_day refusal = 10us;
constexpr time_of_day rest_min = 50us;  // as loop_at_rest() has it

steady_time last_rest;  // of the one loop of a test
steady_time at_rest() noexcept { return last_rest; }

struct outcome {
  time_of_day came;
  bool served;
  time_of_day took;
};

/// A loop that serves requests of a millisecond each, over time that the test makes: what came while it
/// worked is the next line.
std::vector<outcome> serve(const std::vector<time_of_day>& arrivals) {
  shedding rule(1ms, at_rest);
  std::vector<outcome> outcomes;
  last_rest = {};
  time_of_day now{};
  const auto moment = [&] { return steady_time(now); };
  for (std::size_t next = 0; next < arrivals.size();) {
    if (arrivals[next] > now) {
      if (rule.is_walking()) rule.pause();
      const bool rests = arrivals[next] - now >= rest_min;
      now = arrivals[next];
      if (rests) last_rest = moment();
    }
    const time_of_day looked = now;
    for (; next < arrivals.size() && arrivals[next] <= looked; ++next) {
      const bool taken = rule.takes(moment());
      if (taken) rule.serves();
      now += taken ? service : refusal;
      outcomes.push_back({arrivals[next], taken, now - arrivals[next]});
    }
    rule.end_walk(moment());
  }
  return outcomes;
}

/// Requests of many clients that know nothing of each other, `load` times as many as the loop can serve.
void come(std::vector<time_of_day>& arrivals, double load, time_of_day from, time_of_day until) {
  std::mt19937_64 random(20261123);
  double at = static_cast<double>(from.count());
  while (true) {
    const double uniform = (static_cast<double>(random() >> 11) + 1) / 9007199254740993.0;
    at -= std::log(uniform) * static_cast<double>(service.count()) / load;
    if (at >= static_cast<double>(until.count())) return;
    arrivals.emplace_back(static_cast<time_of_day::rep>(at));
  }
}

std::size_t turned_away(const std::vector<outcome>& outcomes, time_of_day from = {}) {
  return static_cast<std::size_t>(
      std::ranges::count_if(outcomes, [&](const outcome& one) { return !one.served && one.came >= from; }));
}

TEST(http_shedding, a_burst_is_served_to_its_end) {
  std::vector<time_of_day> arrivals;
  for (int burst = 0; burst < 20; ++burst) arrivals.insert(arrivals.end(), 95, burst * 200ms);
  EXPECT_EQ(turned_away(serve(arrivals)), 0u);
}

TEST(http_shedding, bursts_in_a_moderate_load_are_served) {
  std::vector<time_of_day> arrivals;
  come(arrivals, 0.5, 0ms, 20s);
  for (int burst = 0; burst < 100; ++burst) arrivals.insert(arrivals.end(), 20, burst * 200ms);
  std::ranges::sort(arrivals);
  EXPECT_EQ(turned_away(serve(arrivals)), 0u);
}

TEST(http_shedding, an_overload_that_lasts_is_served_in_time) {
  for (const double load : {1.1, 1.2, 1.5, 2.0, 3.0, 10.0}) {
    std::vector<time_of_day> arrivals;
    come(arrivals, load, 0ms, 20s);
    const time_of_day lasts_since = load < 1.5 ? 2s : 200ms;  // a small one takes time to show
    std::vector<time_of_day> latencies;
    for (const outcome& one : serve(arrivals)) {
      if (one.served && one.came >= lasts_since) latencies.push_back(one.took);
    }
    const double goodput = static_cast<double>(latencies.size()) * service / (20s - lasts_since);
    EXPECT_GE(goodput, 0.8) << load;
    const auto p99 = latencies.begin() + static_cast<std::ptrdiff_t>(latencies.size() / 100 * 99);
    std::ranges::nth_element(latencies, p99);
    EXPECT_LE(*p99, 5 * service) << load;
  }
}

TEST(http_shedding, after_an_overload_nobody_is_turned_away) {
  std::vector<time_of_day> arrivals;
  come(arrivals, 10, 0ms, 10s);
  come(arrivals, 0.6, 10s, 30s);
  const std::vector<outcome> outcomes = serve(arrivals);
  EXPECT_GT(turned_away(outcomes), 80'000u);
  EXPECT_EQ(turned_away(outcomes, 10s + 500ms), 0u);
}

}  // namespace
}  // namespace weft::http::detail
