#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/store.hpp>

// The store in memory keeps the contract of all stores (tests/store_contract); what is its own is here.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

TEST(memory_store, deletes_a_job_without_a_look_at_all_others) {
  constexpr std::int64_t count = 50'000;
  const auto kept = open_store("memory:");
  std::vector<new_job> all;
  for (std::int64_t id = 1; id <= count; ++id) {
    new_job& one = all.emplace_back();
    one.id = job_id{id};
    one.queue = "mail";
    one.handler = "mail.welcome";
    one.created = at(id);
    one.unique = unique_key{std::to_string(id)};
    one.limit = limit_options{"tenant " + std::to_string(id), 1};
  }
  kept->push(all);
  const auto began = steady_clock::now();
  for (std::int64_t id = 1; id < count; ++id)
    ASSERT_TRUE(kept->remove(job_id{id}, job_state::ready, at(count)));
  EXPECT_LT(steady_clock::now() - began, 20s) << "it takes minutes where each looks at all that are left";
  ASSERT_EQ(kept->limits("", 10).size(), 1U) << "those of the others went with them";
  EXPECT_EQ(kept->limits("", 10).at(0).is.key, "tenant " + std::to_string(count));
}

}  // namespace
}  // namespace weft::jobs
