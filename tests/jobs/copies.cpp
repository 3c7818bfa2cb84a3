// Copies of databases: from SQLite to PostgreSQL, on, and back.

#include <filesystem>

#include <weft/core/error.hpp>

#include "postgres_fixture.hpp"
#include "store_contract/folder.hpp"
#include "store_contract/store_model.hpp"

namespace weft::jobs {
namespace {

namespace support = store_contract_support;

class copies : public postgres_stores {
 protected:
  void SetUp() override {
    postgres_stores::SetUp();
    folder_ = support::make_folder();
  }
  void TearDown() override {
    for (const auto& one : further_) support::drop_postgres_database(one);
    postgres_stores::TearDown();
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name) const { return "sqlite:" + folder_ + "/" + name + ".db"; }
  std::string another_database(const std::string& name) {
    further_.push_back(name);
    return support::make_postgres_database(name);
  }
  static void copy(const std::string& from, const std::string& to) {
    const auto report = copy_database(from, to, {.workers_are_dead = true});
    EXPECT_EQ(check_database(to).problems, std::vector<std::string>{});
    EXPECT_EQ(check_database(to).jobs, report.jobs);
  }

  static std::string text(moment of) { return std::to_string(of.time_since_epoch().count()); }
  static std::string text(const stored_job& job) {
    std::string all = to_string(job.id) + ' ' + job.queue + ' ' + job.handler + ' ' + job.envelope + ' ' +
                      std::string(to_string(job.state)) + " created " + text(job.created) + " at " +
                      text(job.run_at) + " finished " + (job.finished ? text(*job.finished) : "-");
    for (const std::int64_t number :
         {std::int64_t{job.priority}, std::int64_t{job.attempts}, std::int64_t{job.backoffs},
          std::int64_t{job.crashes}, job.fence, static_cast<std::int64_t>(job.owner.value_or(worker_id{}))}) {
      all += ' ' + std::to_string(number);
    }
    all += job.cancel_requested ? " cancel" : "";
    for (const auto& tag : job.tags) all += " tag " + tag;
    all += " limit " + job.limit;
    for (const job_id id : job.waits_for) all += " waits for " + to_string(id);
    if (job.progress) all += " at " + std::to_string(job.progress->done) + job.progress->note;
    all += " result " + job.result.value_or("-");
    for (const auto& one : job.past) {
      all += "\n    attempt " + std::to_string(one.attempt) + ' ' + std::to_string(one.fence) + ' ' +
             to_string(one.owner) + ' ' + std::string(to_string(one.outcome)) + ' ' + text(one.started) +
             ' ' + text(one.ended) + ' ' + one.error + ' ' + one.records;
    }
    return all;
  }
  /// All that can be seen of a store.
  static std::string all_of(const std::string& url) {
    const auto kept = open_store(url, {.prepare = false});
    std::string all;
    list_filter filter;
    filter.limit = 1000;
    for (const auto& one : kept->list(filter)) {
      all += text(*kept->find(one.id)) + '\n';
      kept->read_steps(one.id,
                       [&](std::string_view value) { all += "    step " + std::string(value) + '\n'; });
    }
    for (const auto& one : kept->schedules()) {
      all += one.name + ' ' + one.queue + ' ' + one.timing + ' ' + one.envelope + ' ' + text(one.last) + ' ' +
             text(one.next) + (one.paused ? " paused\n" : "\n");
    }
    for (const auto& one : kept->stats()) {
      all += one.queue + ' ' + std::to_string(one.total()) + (one.paused ? " paused\n" : "\n");
    }
    for (const auto& one : kept->workers()) {
      all += to_string(one.id) + ' ' + one.host + ' ' + std::to_string(one.pid) + ' ' +
             std::to_string(one.pid_started) + ' ' + one.build + ' ' + std::to_string(one.beat) + '\n';
    }
    for (const auto& tag : kept->tags("", "", 100)) {
      all += tag + ' ' + std::to_string(kept->count_tagged(tag).total()) + '\n';
    }
    return all;
  }

  std::string folder_;
  std::vector<std::string> further_;
};

/// One of each thing that a store keeps.
void fill(store& own, const auto& make, const auto& claim, const auto& end) {
  const auto push = [&](std::int64_t id, auto change) {
    new_job one = make(id);
    change(one);
    own.push({&one, 1});
  };
  const auto nothing = [](new_job&) {};
  own.add_worker({.id = worker_id{1}, .host = "h", .pid = 7, .pid_started = 8, .build = "b"});
  push(1, nothing);
  push(2, nothing);
  push(3, nothing);
  const auto begun = claim(3);
  auto done = end(begun.at(0), next_step::done);
  done.result = std::string("a \0 result", 10);
  done.record.records = "records";
  own.finish(done);
  auto failed = end(begun.at(1), next_step::again);
  failed.record.outcome = attempt_outcome::failed;
  failed.record.error = std::string("an \0 error", 10);
  failed.run_at = moment(std::chrono::microseconds(9000));
  failed.backs_off = true;
  own.finish(failed);
  own.progress(begun.at(2).id, worker_id{1}, begun.at(2).fence,
               {.done = 3, .total = 4, .note = "half \xc3\xa4"});
  own.keep_step(begun.at(2).id, worker_id{1}, begun.at(2).fence, "first", std::string("a \0 step", 8));
  own.cancel(begun.at(2).id, moment(std::chrono::microseconds(2500)));
  push(4, [](new_job& one) { one.tags = {"a", "b"}; });
  push(5, [](new_job& one) {
    one.unique = unique_key{.key = std::string("k\0", 2), .until = unique_until::claimed};
    one.expires = moment(std::chrono::microseconds(1'000'000));
  });
  push(6, [](new_job& one) { one.limit = limit_options{.key = "disk", .max = 1, .rate = {.count = 5}}; });
  push(7, [](new_job& one) { one.after = {{job_id{4}, false}, {job_id{6}, true}}; });
  push(8, [](new_job& one) {
    one.priority = -5;
    one.run_at = moment(std::chrono::microseconds(5000));
  });
  push(9, [](new_job& one) { one.queue = "other"; });
  own.cancel(job_id{9}, moment(std::chrono::microseconds(2600)));
  own.set_paused("other", true);
  own.put_schedule({.name = "nightly",
                    .queue = "mail",
                    .timing = "t",
                    .envelope = std::string("e\0", 2),
                    .last = moment(std::chrono::microseconds(1)),
                    .next = moment(std::chrono::microseconds(2))});
  own.pause_schedule("nightly");
}

TEST_F(copies, keep_all_that_can_be_seen_on_the_way_there_and_back) {
  {
    const auto own = open_store(file("first"));
    fill(
        *own, [](std::int64_t id) { return job(id); },
        [&](std::size_t count) { return claim(*own, 1, count); },
        [](const claimed_job& of, next_step next) { return end(of, 1, next); });
  }
  const std::string first = all_of(file("first"));
  const std::string second = another_database(name_ + "_second");
  copy(file("first"), url_);
  EXPECT_EQ(all_of(url_), first);
  copy(url_, second);
  EXPECT_EQ(all_of(second), first);
  copy(second, file("back"));
  EXPECT_EQ(all_of(file("back")), first);
  copy(file("back"), file("last"));
  EXPECT_EQ(all_of(file("last")), first);
  EXPECT_EQ(all_of(file("first")), first) << "it is as it was";
}

TEST_F(copies, go_on_as_the_model_of_the_first_says) {
  constexpr std::size_t steps_between = 60;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    const std::string number = std::to_string(seed);
    const std::string places[] = {file("a" + number), another_database(name_ + number), file("b" + number)};
    store_model model;
    const auto steps = random_steps(seed, steps_between * std::size(places));
    for (std::size_t place = 0; place < std::size(places); ++place) {
      if (place > 0) copy(places[place - 1], places[place]);
      const auto own = open_store(places[place]);
      for (std::size_t step = place * steps_between; step < (place + 1) * steps_between; ++step) {
        const auto what = model.step(*own, steps[step]);
        ASSERT_FALSE(what) << "seed " << seed << ", after " << place << " copies, " << to_string(steps[step])
                           << ": " << *what;
      }
    }
  }
}

TEST_F(copies, that_are_broken_off_leave_nothing_and_are_begun_again) {
  constexpr std::int64_t count = 5000;
  {
    const auto own = open_store(file("first"), {.durable = false});
    std::vector<new_job> all;
    for (std::int64_t id = 1; id <= count; ++id) all.push_back(job(id));
    own->push(all);
  }
  std::atomic<bool> ended{false};
  std::thread breaker([&] {
    weft_test::with_connection(url_, [&](auto& session) {
      while (!ended) {
        if (session
                .run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                     "current_database() AND query LIKE 'INSERT INTO weft_%'")
                .integer(0, 0) > 0) {
          break;
        }
      }
    });
  });
  weft_test::expect_error(errc::unavailable, [&] { copy_database(file("first"), url_); });
  ended = true;
  breaker.join();
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 0);
  copy(file("first"), url_);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_ready"), count);
}

TEST_F(copies, with_a_text_that_the_target_cannot_have_leave_nothing) {
  {
    const auto own = open_store(file("first"));
    const new_job one = job(1);
    own->push({&one, 1});
    own->put_schedule({.name = std::string("a\0b", 3), .queue = "mail", .timing = "t", .envelope = "e"});
  }
  weft_test::expect_error(
      errc::invalid_argument, [&] { copy_database(file("first"), url_); }, "the table weft_schedule: ");
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 0);
  EXPECT_TRUE(open_store(file("first"))->remove_schedule(std::string_view("a\0b", 3)));
  copy(file("first"), url_);
}

TEST_F(copies, are_refused_where_something_would_be_lost) {
  store& own = open();
  push(own, job(1));
  join(own, 1);
  const auto refused = [&](errc why, const std::string& from, const std::string& to,
                           const std::string& said) {
    weft_test::expect_error(
        why, [&] { copy_database(from, to); }, said);
  };
  refused(errc::refused, url_, file("new"), "1 worker uses");
  own.remove_worker(worker_id{1}, at(1));
  refused(errc::invalid_argument, url_, url_, "itself");
  refused(errc::unsupported, url_, "memory:", "memory: is none");
  refused(errc::not_found, file("none"), url_, "does not exist");
  const auto report = copy_database(url_, file("new"));
  EXPECT_EQ(report.jobs, 1);
  refused(errc::already_exists, url_, file("new"), "has jobs, schedules or workers");
  refused(errc::already_exists, file("new"), url_, "has jobs, schedules or workers");
}

}  // namespace
}  // namespace weft::jobs
