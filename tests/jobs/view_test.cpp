#include <weft/jobs/view.hpp>

#include <chrono>

#include <gtest/gtest.h>

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

TEST(view, says_how_old_a_job_is_by_the_clock_that_it_is_given) {
  job_info waiting;
  waiting.created = moment(1h);
  EXPECT_EQ(view_of(waiting, moment(1h + 90s)).age_seconds, 90);
  EXPECT_EQ(details_of(waiting, "", {}, moment(1h + 90s)).job.age_seconds, 90);
  waiting.due = moment(1h + 60s);
  EXPECT_EQ(view_of(waiting, moment(1h + 90s)).age_seconds, 30) << "from the moment that it was pushed for";
  waiting.finished = moment(2h);
  EXPECT_FALSE(view_of(waiting, moment(3h)).age_seconds);
}

}  // namespace
}  // namespace weft::jobs
