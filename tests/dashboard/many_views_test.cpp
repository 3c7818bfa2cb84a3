#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <weft/process/exec.hpp>

#include "dashboard/many_jobs.hpp"
#include "support/programs.hpp"

// Every view of many jobs in Chromium. WEFT_DASHBOARD_JOBS=1000000 makes a million, and says how long each
// takes.

namespace weft::dashboard {
namespace {

using namespace std::chrono_literals;

class dashboard_views : public dashboard_many {};

TEST_F(dashboard_views, of_many_jobs_are_all_shown) {
  WEFT_NEED_PROGRAM("/usr/bin/chromium");
  const char* const made = std::getenv("WEFT_NODE_MODULES");
  const std::string modules = made == nullptr ? WEFT_TEST_NODE_MODULES : made;
  if (::access((modules + "/playwright-core/package.json").c_str(), R_OK) != 0)
    GTEST_SKIP() << "npm has not fetched playwright-core";
  fill();
  serve([&] {
    const auto ended =
        exec({"node", WEFT_TEST_VIEWS_SCRIPT, url_ + "/jobs/", operator_token, modules, "30000"},
             {.timeout = 300s});
    EXPECT_NE(ended.out.find("all is well"), std::string::npos) << ended.out << ended.err;
    if (is_asked_for()) std::printf("%s", ended.out.c_str());
  });
}

}  // namespace
}  // namespace weft::dashboard
