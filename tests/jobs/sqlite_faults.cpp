#include <csignal>
#include <vector>

#include <weft/jobs/maintenance.hpp>

#include "jobs/faulty_vfs.hpp"
#include "jobs/sqlite_helpers.hpp"
#include "store_contract/store_model.hpp"

// The n-th call to the file system fails, or is the last of the process, for each n until a run no longer
// meets it. What was acknowledged is there, what was refused is not, and nothing is half done: the model
// of the store says what must be seen.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using kind = random_step::kind;

const std::vector<random_step> steps{
    {kind::add_worker, 0, 0}, {kind::add_worker, 1, 0}, {kind::push, 0, 0},   {kind::push, 4, 0},
    {kind::push, 0, 7},       {kind::push, 0, 2},       {kind::claim, 0, 2},  {kind::progress, 0, 5},
    {kind::finish, 0, 12},    {kind::finish, 1, 15},    {kind::cancel, 2, 1}, {kind::pause, 1, 3},
    {kind::retry, 1, 1},      {kind::claim, 1, 2},      {kind::rescue, 1, 1}, {kind::wait, 0, 40},
    {kind::purge, 0, 0},      {kind::push, 8, 10},
};

class sqlite_faults : public sqlite_test {
 protected:
  static store_options fragile(bool durable = true) {
    store_options options;
    options.durable = durable;
    options.busy_timeout = 0ms;
    options.wal_pages_max = 20;  // checkpoints fail, too
    return options;
  }
  void remove_files() const {
    for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  void expect_sound(store& kept) const {
    std::string verdict;
    kept.transact(
        [&](store_transaction& inside) {
          verdict = std::get<std::string>(inside.run("PRAGMA integrity_check", {})[0][0]);
        },
        {});
    EXPECT_EQ(verdict, "ok");
    EXPECT_EQ(check_database(path_).problems, std::vector<std::string>{});
  }

  /// Takes the steps while the fault waits for its call; false once it is not met any more.
  bool run_with(fault what, std::int64_t nth) {
    remove_files();
    faulty_vfs files;
    auto kept = open(fragile(what == fault::sync_error));  // others need no syncs, which take long
    files.arm(what, nth);
    files.hold(true);
    store_model model;
    for (const auto& one : steps) {
      const store_model before = model;
      files.hold(false);
      try {
        model.apply(*kept, one);
      } catch (const error& refused) {
        EXPECT_TRUE(files.has_struck()) << refused.what();
        model = before;
      }
      files.hold(true);
      EXPECT_EQ(model.difference(*kept), std::nullopt) << to_string(one);
    }
    kept.reset();
    kept = open();
    EXPECT_EQ(model.difference(*kept), std::nullopt) << "opened again";
    expect_sound(*kept);
    return files.has_struck();
  }

  void sweep(fault what, std::int64_t calls_min) {
    std::int64_t nth = 1;
    for (; run_with(what, nth); ++nth) ASSERT_FALSE(HasFailure()) << "at call " << nth;
    EXPECT_GT(nth, calls_min);
  }
};

TEST_F(sqlite_faults, a_write_that_fails_changes_nothing) { sweep(fault::write_error, 40); }
TEST_F(sqlite_faults, a_full_disk_changes_nothing) { sweep(fault::full, 40); }
TEST_F(sqlite_faults, a_sync_that_fails_changes_nothing) { sweep(fault::sync_error, 8); }
TEST_F(sqlite_faults, a_lock_that_is_refused_changes_nothing) { sweep(fault::busy, 20); }

/// The model after so many steps: a store in memory takes them along.
store_model model_after(std::size_t count) {
  const auto other = open_store("memory:");
  store_model model;
  for (std::size_t index = 0; index < count && index < steps.size(); ++index)
    model.apply(*other, steps[index]);
  return model;
}

TEST_F(sqlite_faults, a_process_that_dies_at_any_call_leaves_what_was_acknowledged) {
  std::int64_t deaths = 0;
  for (;; ++deaths) {
    remove_files();
    int pipe_ends[2] = {};
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const int status = in_child([&] {
      faulty_vfs files;
      const auto kept = open(fragile());
      files.arm(fault::death, deaths + 1);
      store_model model;
      for (const auto& one : steps) {
        model.apply(*kept, one);
        (void)!::write(pipe_ends[1], "+", 1);
      }
      files.hold(true);
      return files.has_struck() ? 1 : 0;
    });
    ::close(pipe_ends[1]);
    char acknowledged[64];
    const auto count = ::read(pipe_ends[0], acknowledged, sizeof acknowledged);
    ::close(pipe_ends[0]);
    ASSERT_GE(count, 0);
    const auto kept = open();
    // The step in which it died may have been committed.
    const bool same = !model_after(static_cast<std::size_t>(count)).difference(*kept) ||
                      !model_after(static_cast<std::size_t>(count) + 1).difference(*kept);
    ASSERT_TRUE(same) << "at call " << deaths + 1 << ", " << count << " steps acknowledged";
    expect_sound(*kept);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  EXPECT_GT(deaths, 60);
}

}  // namespace
}  // namespace weft::jobs
