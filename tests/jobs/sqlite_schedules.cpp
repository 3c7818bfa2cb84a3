#include <csignal>

#include "jobs/faulty_vfs.hpp"
#include "jobs/sqlite_helpers.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class sqlite_schedules : public sqlite_test {
 protected:
  void make_file() const {
    for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
    open()->put_schedule({"report", "mail", "@hourly", "envelope", moment(0s), moment(1s)});
  }
  /// What a worker does at the moment that the schedule is due.
  static void fire_what_is_due(store& in, std::int64_t id) {
    for (const auto& due : claim(in, 0).schedules) {
      in.fire({due.name, due.envelope, due.next, moment(1s), moment(1s), moment(2s), {job(id)}});
    }
  }
};

TEST_F(sqlite_schedules, a_process_that_dies_while_it_fires_one_loses_nothing_and_fires_nothing_twice) {
  std::int64_t deaths = 0;
  std::int64_t before_it_fired = 0;
  for (;; ++deaths) {
    make_file();
    const int status = in_child([&] {
      faulty_vfs files;
      const auto kept = open();
      files.arm(fault::death, deaths + 1);
      fire_what_is_due(*kept, 1);
      files.hold(true);
      return files.has_struck() ? 1 : 0;
    });
    const auto kept = open();
    const bool has_moved = kept->schedules().at(0).next == moment(2s);
    EXPECT_EQ(kept->find(job_id{1}).has_value(), has_moved);
    before_it_fired += has_moved ? 0 : 1;
    fire_what_is_due(*kept, 2);
    EXPECT_EQ(kept->list({}).size(), 1U);
    ASSERT_FALSE(HasFailure()) << "death at call " << deaths + 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  EXPECT_GT(before_it_fired, 2);
  EXPECT_GT(deaths, before_it_fired) << "and some after it";
}

}  // namespace
}  // namespace weft::jobs
