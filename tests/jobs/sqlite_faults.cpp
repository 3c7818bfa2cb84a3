#include <csignal>
#include <memory>
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

/// One of those whose requests the writer takes in one turn.
struct caller {
  std::function<void(store& to)> call;
  std::function<bool(store& in)> seen;  ///< its change is there
  bool succeeded = false;
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
  /// The files of a store that has no jobs yet and was closed.
  void make_files() const {
    for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
    if (!std::filesystem::exists(path_ + ".made")) {
      {
        (void)open();
      }
      for (const char* const end : {"", "-wal"})
        std::filesystem::copy_file(path_ + end, path_ + ".made" + end);
    }
    for (const char* const end : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + ".made" + end, path_ + end,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  void expect_sound(store& kept) const {
    std::string verdict;
    kept.transact(
        [&](store_transaction& inside) {
          verdict = std::get<std::string>(inside.run("PRAGMA integrity_check", {})[0][0]);
        },
        {});
    EXPECT_EQ(verdict, "ok");
    EXPECT_EQ(check_database("sqlite:" + path_).problems, std::vector<std::string>{});
  }

  /// Takes the steps while the fault waits for its call; false once it is not met any more.
  bool run_with(fault what, std::int64_t nth) {
    make_files();
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

  /// Ends of attempts, pushes and a claim. With ones that fail, all are applied a second time, apart.
  static std::vector<caller> callers_of(store& kept, bool with_failing_ones) {
    for (std::int64_t id = 1; id <= 4; ++id) push(kept, id);
    std::vector<caller> all;
    for (const auto& one : claim(kept, 2).jobs) {
      attempt_end end;
      end.id = one.id;
      end.owner = worker_id{1};
      end.fence = one.fence;
      all.push_back({[end](store& to) { to.finish(end); },
                     [id = one.id](store& in) { return in.find(id)->state == job_state::done; }});
    }
    for (std::int64_t id = 10; id <= 14; ++id) {
      all.push_back(
          {[id](store& to) { push(to, id); }, [id](store& in) { return in.find(job_id{id}).has_value(); }});
    }
    all.push_back({[](store& from) {
                     from.claim({.owner = worker_id{1}, .queues = {"mail"}, .count = 2, .routable = {}});
                   },
                   [](store& in) { return in.find(job_id{3})->state == job_state::running; }});
    if (!with_failing_ones) return all;
    all.push_back({[](store& to) { push(to, 1); }, [](store&) { return false; }});
    all.push_back({[](store& to) {
                     to.transact(
                         [](store_transaction& inside) {
                           inside.push(job(20));
                           throw error(errc::refused, "it was changed in vain");
                         },
                         {});
                   },
                   [](store& in) { return in.find(job_id{20}).has_value(); }});
    const auto bodies = std::make_shared<int>(0);
    all.push_back({[bodies](store& to) {
                     to.transact(
                         [&](store_transaction& inside) {
                           EXPECT_EQ(++*bodies, 1) << "a body runs once";
                           inside.push(job(21));
                         },
                         {});
                   },
                   [](store& in) { return in.find(job_id{21}).has_value(); }});
    return all;
  }
  static std::vector<std::function<void()>> calls_of(
      std::vector<caller>& all, store& to, const std::function<void()>& after_success = [] {}) {
    std::vector<std::function<void()>> calls;
    for (auto& one : all) {
      calls.emplace_back([&one, &to, after_success] {
        try {
          one.call(to);
        } catch (const error&) {
          return;
        }
        one.succeeded = true;
        after_success();
      });
    }
    return calls;
  }

  /// Several callers come at once while the fault waits for its call; false once it is not met any more.
  bool turn_with(fault what, std::int64_t nth, bool with_failing_ones) {
    make_files();
    faulty_vfs files;
    auto kept = open(fragile(what == fault::sync_error));
    auto all = callers_of(*kept, with_failing_ones);
    in_one_turn(*kept, calls_of(all, *kept), [&] { files.arm(what, nth); });
    files.hold(true);
    kept.reset();
    kept = open();
    std::size_t succeeded = 0;
    for (std::size_t index = 0; index < all.size(); ++index) {
      EXPECT_EQ(all[index].seen(*kept), all[index].succeeded) << "caller " << index;
      succeeded += all[index].succeeded ? 1 : 0;
    }
    const std::size_t expected = all.size() - (with_failing_ones ? 2 : 0);
    EXPECT_TRUE(files.has_struck() || succeeded == expected) << succeeded << " of " << expected;
    expect_sound(*kept);
    return files.has_struck();
  }

  void sweep_turns(fault what, std::int64_t calls_min) {
    for (const bool with_failing_ones : {false, true}) {
      std::int64_t nth = 1;
      for (; turn_with(what, nth, with_failing_ones); ++nth) {
        ASSERT_FALSE(HasFailure()) << "at call " << nth << (with_failing_ones ? " of one that fails" : "");
      }
      EXPECT_GT(nth, calls_min);
    }
  }
};

TEST_F(sqlite_faults, a_write_that_fails_changes_nothing) { sweep(fault::write_error, 40); }
TEST_F(sqlite_faults, a_full_disk_changes_nothing) { sweep(fault::full, 40); }
TEST_F(sqlite_faults, a_sync_that_fails_changes_nothing) { sweep(fault::sync_error, 8); }
TEST_F(sqlite_faults, a_lock_that_is_refused_changes_nothing) { sweep(fault::busy, 20); }

TEST_F(sqlite_faults, a_push_is_acknowledged_only_after_its_sync) {
  make_files();
  faulty_vfs files;
  store_options without_checkpoints;  // which sync, too
  without_checkpoints.wal_pages_max = 1'000'000;
  const auto kept = open(without_checkpoints);
  push(*kept, 1);
  files.arm(fault::sync_error, 1);
  EXPECT_EQ(failure_of([&] { push(*kept, 2); }).code(), errc::io_error);
  EXPECT_TRUE(files.has_struck());
  EXPECT_FALSE(kept->find(job_id{2}));
}

TEST_F(sqlite_faults, of_a_turn_of_many_each_hears_what_became_of_its_own) {
  sweep_turns(fault::write_error, 10);
  sweep_turns(fault::full, 10);
  sweep_turns(fault::sync_error, 1);
  sweep_turns(fault::busy, 1);
}

TEST_F(sqlite_faults, a_process_that_dies_in_a_turn_of_many_has_lost_none_that_it_acknowledged) {
  std::int64_t deaths = 0;
  for (;; ++deaths) {
    make_files();
    int pipe_ends[2] = {};
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const int status = in_child([&] {
      faulty_vfs files;
      const auto kept = open(fragile());
      auto all = callers_of(*kept, false);
      const auto acknowledge = [&] { (void)!::write(pipe_ends[1], "+", 1); };
      in_one_turn(*kept, calls_of(all, *kept, acknowledge), [&] { files.arm(fault::death, deaths + 1); });
      files.hold(true);
      return files.has_struck() ? 1 : 0;
    });
    ::close(pipe_ends[1]);
    char acknowledged[64];
    const auto count = ::read(pipe_ends[0], acknowledged, sizeof acknowledged);
    ::close(pipe_ends[0]);
    const auto kept = open();
    const auto jobs = kept->list({}).size();
    EXPECT_TRUE(jobs == 4 || jobs == 9) << jobs << " jobs: the turn is done in parts";
    EXPECT_EQ(kept->stats().at(0).done, jobs == 9 ? 2 : 0);
    EXPECT_TRUE(count == 0 || jobs == 9) << "lost after " << count << " acknowledgements";
    expect_sound(*kept);
    ASSERT_FALSE(HasFailure()) << "at call " << deaths + 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  EXPECT_GT(deaths, 10);
}

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
    make_files();
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
