#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "dashboard/every_answer.hpp"
#include "dashboard/many_jobs.hpp"

// No answer costs more with more jobs. WEFT_DASHBOARD_JOBS=1000000 makes a million, and says how long each
// takes.

namespace weft::dashboard {
namespace {

using namespace std::chrono_literals;

class dashboard_answers : public dashboard_many {
 protected:
  std::chrono::milliseconds longest(const std::string& path) {
    std::chrono::milliseconds longest{0};
    for (int i = 0; i < 3; ++i) {
      const auto began = steady_clock::now();
      EXPECT_EQ(get(path).status(), 200) << path;
      longest = std::max(longest,
                         std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began));
    }
    return longest;
  }
};

TEST_F(dashboard_answers, no_answer_looks_at_all_jobs) {
  fill();
  serve([&] {
    const auto jobs = json("/jobs?state=dead&limit=1");
    const auto newest = text_of(list_of(jobs, "jobs").at(0), "id");
    const std::string group = text_of(list_of(errors_of(1), "groups").at(0), "key");
    for (const auto& path : weft_test::every_answer(newest, group)) {
      const auto took = longest(path);
      EXPECT_LT(took, 20s) << path;
      if (is_asked_for()) std::printf("%6lld ms  %s\n", static_cast<long long>(took.count()), path.c_str());
    }
    // Where nothing is found in the time, the answer says where to go on: in the end all were looked at.
    std::int64_t looked_at = 0;
    std::string path = "/jobs?closure=nobody";
    for (std::string before; looked_at < 5'000;) {
      const auto page = json(before.empty() ? path : path + "&before=" + before);
      looked_at += number_of(page, "looked_at");
      EXPECT_TRUE(list_of(page, "jobs").empty());
      if (member(page, "next").is_null()) break;
      before = text_of(page, "next");
    }
    EXPECT_GE(looked_at, 5'000);
    const auto counted = posted("/bulk/count", R"({"action":"retry","filter":"state=dead"})");
    const bool has_more = *member(counted, "has_more").if_boolean();
    EXPECT_TRUE(has_more || number_of(counted, "jobs") == jobs_ / 4 + 1);
    const auto began = steady_clock::now();
    const auto part = posted("/bulk/run", "{\"token\":\"" + text_of(counted, "token") + "\"}");
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
    EXPECT_LT(took, 20s);
    EXPECT_GT(number_of(part, "changed"), 0);
    if (is_asked_for()) std::printf("%6lld ms  /bulk/run\n", static_cast<long long>(took.count()));
  });
}

}  // namespace
}  // namespace weft::dashboard
