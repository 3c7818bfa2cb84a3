// Pushes by SQL alone, as programs in other languages make them.

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/limit_turn.hpp"
#include "postgres_fixture.hpp"
#include "support/shared_board.hpp"

namespace weft::jobs {
namespace {

using weft_test::comes_true;
using weft_test::database_error_of;

struct letters {
  std::vector<std::string> sent;
};

const auto send_letter = named_closure<"by_sql.send">([](letters& to, std::int64_t number, std::string name) {
  to.sent.push_back(std::to_string(number) + " " + name);
});
constexpr const char* identity = "by_sql.send(i64,str)";

class postgres_sql_push : public postgres_stores {
 protected:
  postgres_sql_push() : keys_(std::make_shared<wire::key_ring>(wire::key::generate("k1"))) {
    app_.provide(letters_);
  }

  queue& own_queue() {
    if (!queue_) queue_.emplace(open_store(url_), queue_options{.name = "letters", .keys = keys_});
    return *queue_;
  }
  void TearDown() override {
    queue_.reset();
    postgres_stores::TearDown();
  }
  /// `arguments`: of weft_push, behind queue and closure.
  std::int64_t push_by_sql(const std::string& arguments) {
    return number("SELECT weft.weft_push('letters', '" + std::string(identity) + "', " + arguments + ")");
  }
  /// What the server says of it, as "SQLSTATE message".
  std::string refusal(const std::string& arguments) {
    const auto failed = database_error_of([&] { push_by_sql(arguments); });
    return failed.state() + " " + std::string(failed.message());
  }
  std::size_t work() {
    std::size_t attempts = 0;
    run_options room;
    room.stack_bytes = 256 * 1024;  // of the address sanitizer
    run(
        [&] {
          worker_options options;
          options.queues = {"letters"};
          options.pass_on_logs = false;
          options.unsigned_jobs = {{"letters", {"by_sql.send"}}};
          worker one(own_queue(), app_, options);
          attempts = one.run_due();
        },
        room);
    return attempts;
  }

  std::shared_ptr<wire::key_ring> keys_;
  std::optional<queue> queue_;
  services app_;
  letters letters_;
};

TEST_F(postgres_sql_push, is_run_by_a_worker_that_names_queue_and_closure) {
  const job_id id{push_by_sql("'[7, \"Ann\"]', source => 'app.py:12', tags => '{a,b}', max_attempts => 3")};
  const job_id second{push_by_sql("jsonb_build_array(8, 'Bob')")};
  EXPECT_LT(id, second);
  const auto pushed = own_queue().show(id);
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(pushed->source, "app.py:12");
  EXPECT_EQ(pushed->attempts_max, 3);
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(letters_.sent, (std::vector<std::string>{"7 Ann", "8 Bob"}));
  EXPECT_EQ(own_queue().show(id)->state, job_state::done);
}

TEST_F(postgres_sql_push, has_moments_of_the_server) {
  const moment before = clock::system().now();
  const job_id waits{push_by_sql("'[1, \"a\"]', delay => '1 hour'")};
  const job_id dated{push_by_sql("'[1, \"a\"]', run_at => '2100-01-01 00:00:00Z', delay => '1 hour'")};
  const job_id expires{push_by_sql("'[1, \"a\"]', expires => now() - interval '1 second'")};
  const job_id never{push_by_sql("'[1, \"a\"]', expires => 'infinity', timeout => '90 seconds'")};
  const job_id past{push_by_sql("'[1, \"a\"]', run_at => '-infinity'")};
  const auto first = own_queue().show(waits);
  EXPECT_EQ(first->state, job_state::scheduled);
  EXPECT_GE(first->run_at, before + std::chrono::hours(1));
  EXPECT_LE(first->run_at, clock::system().now() + std::chrono::hours(1));
  EXPECT_EQ(own_queue().show(dated)->run_at, at(4'102'444'800'000'000));
  EXPECT_EQ(own_queue().show(past)->state, job_state::ready);
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(own_queue().show(expires)->state, job_state::dead);
  EXPECT_EQ(own_queue().show(never)->state, job_state::done);
}

TEST_F(postgres_sql_push, shares_unique_keys_with_programs) {
  const auto closure_of = [](const char* name) {
    return closure{send_letter, std::int64_t{1}, std::string(name)};
  };
  const auto pushed = own_queue().push(closure_of("a"), {.unique = unique_options{.key = "ann"}});
  EXPECT_EQ(push_by_sql("'[2, \"b\"]', unique_key => 'ann'"), static_cast<std::int64_t>(pushed));
  const job_id other{push_by_sql("'[2, \"b\"]', unique_key => 'bob', unique_until => 'claimed'")};
  EXPECT_NE(other, pushed);
  EXPECT_EQ(own_queue().push(closure_of("c"), {.unique = unique_options{.key = "bob"}}), other);
  const auto by_arguments = push_by_sql("'[3, \"c\"]', unique_key => '', unique_period => '1 day'");
  EXPECT_EQ(push_by_sql("'[3,\"c\"]', unique_key => ''"), by_arguments);
  EXPECT_NE(push_by_sql("'[3, \"d\"]', unique_key => ''"), by_arguments);
}

TEST_F(postgres_sql_push, shares_limits_with_programs) {
  for (const std::string key :
       {"a", "disk", "Zürich 8001", "the key of a limit that has many more bytes than most"}) {
    EXPECT_EQ(number("SELECT weft.weft_turn_of_limit('" + key + "')"), turn_of_limit(key)) << key;
  }
  const limit_options disk{.key = "disk", .max = 2, .rate = {.count = 3, .period = std::chrono::seconds(7)}};
  own_queue().push(closure{send_letter, std::int64_t{1}, std::string("a")}, {.limit = disk});
  const std::string row = "SELECT (max * 1000000 + token_ns) * 100 + burst FROM weft.weft_limit";
  const auto as_pushed = number(row);
  push_by_sql(
      "'[1, \"a\"]', limit_key => 'disk', limit_max => 2, limit_count => 3, limit_period => '7 seconds'");
  EXPECT_EQ(number(row), as_pushed);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job j JOIN weft.weft_limit l ON l.id = j.limit_id"), 2);
}

TEST_F(postgres_sql_push, waits_for_other_jobs) {
  const auto first = push_by_sql("'[1, \"a\"]'");
  const job_id then{push_by_sql("'[2, \"b\"]', after => ARRAY[" + std::to_string(first) + "]")};
  const job_id last{push_by_sql("'[3, \"c\"]', after_end => ARRAY[" +
                                std::to_string(static_cast<std::int64_t>(then)) + "], after => ARRAY[" +
                                std::to_string(first) + "]")};
  EXPECT_EQ(own_queue().show(last)->waits_for, (std::vector<job_id>{job_id{first}, then}));
  EXPECT_EQ(work(), 3U);
  EXPECT_EQ(letters_.sent, (std::vector<std::string>{"1 a", "2 b", "3 c"}));
}

TEST_F(postgres_sql_push, is_a_part_of_the_transaction_that_makes_it) {
  weft_test::with_connection(url_, [](auto& session) {
    session.run("BEGIN");
    session.run("SELECT weft.weft_push('letters', 'by_sql.send(i64,str)', '[1, \"a\"]')");
    session.run("ROLLBACK");
  });
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 0);
}

TEST_F(postgres_sql_push, wakes_workers_at_its_commit_unless_told_not_to) {
  store& idle = open();
  (void)idle.wait_bell(idle.bell(), deadline_after(std::chrono::milliseconds(1)));  // listens from now on
  weft_test::with_connection(url_, [](auto& session) {
    session.run("LISTEN weft_jobs");
    const auto heard = [&] {
      session.run("SELECT 1");
      std::size_t count = 0;
      for (const auto& one : session.take_notifications()) count += one.payload == "sql w" ? 1 : 0;
      return count;
    };
    session.run("BEGIN");
    for (int i = 0; i < 3; ++i) {
      session.run("SELECT weft.weft_push('letters', 'by_sql.send(i64,str)', '[1, \"a\"]')");
    }
    EXPECT_EQ(heard(), 0U);
    session.run("COMMIT");
    EXPECT_EQ(heard(), 1U);
    session.run("SELECT weft.weft_push('letters', 'by_sql.send(i64,str)', '[1, \"a\"]', wake => false)");
    EXPECT_EQ(heard(), 0U);
  });
}

TEST_F(postgres_sql_push, is_begun_by_an_idle_worker_at_its_commit_and_not_at_the_next_poll) {
  queue own(open_store(url_, {.poll_interval = std::chrono::hours(1)}), {.name = "letters", .keys = keys_});
  run_options room;
  room.stack_bytes = 256 * 1024;  // of the address sanitizer
  run(
      [&] {
        worker_options options;
        options.queues = {"letters"};
        options.poll_interval = std::chrono::hours(1);
        options.pass_on_logs = false;
        options.unsigned_jobs = {{"letters", {"by_sql.send"}}};
        worker one(own, app_, options);
        auto working = go([&] { one.run(); });
        auto& kept = own.kept_in();
        // Whoever waits for work is woken when the store begins to listen. Only notices do it from then on.
        (void)kept.wait_bell(kept.bell(), deadline_after(std::chrono::seconds(60)));
        for (std::size_t count = 1; count <= 3; ++count) {
          blocking([&] { push_by_sql("'[" + std::to_string(count) + ", \"Ann\"]'"); });
          EXPECT_TRUE(comes_true([&] { return letters_.sent.size() == count; }));
        }
        one.stop();
        working.join();
      },
      room);
}

TEST_F(postgres_sql_push, refuses_bad_input_and_says_why) {
  const struct {
    const char* arguments;
    const char* said;
  } cases[] = {
      {"'{}'", "WF007 jobs: push \"by_sql.send(i64,str)\": its arguments must be a JSON array"},
      {"NULL", "its arguments must be a JSON array"},
      {"'[]', priority => 40000", "the priority 40000 is not within -32768 and 32767"},
      {"'[]', max_attempts => 0", "max_attempts must be 1 or more"},
      {"'[]', unique_key => 'a', unique_until => 'done'", "unique_until is \"done\""},
      {"'[]', unique_key => repeat('a', 5000)",
       "WF010 jobs: push \"by_sql.send(i64,str)\": its unique key has"},
      {"'[]', tags => ARRAY[NULL]", "it may have 16 tags of 1 to 64 bytes"},
      {"'[]', tags => array_fill('a'::text, ARRAY[17])", "it may have 16 tags of 1 to 64 bytes"},
      {"'[]', limit_key => ''", "its limit needs a key of 1 to 256 bytes and room for one job"},
      {"'[]', limit_key => 'a', limit_max => 0", "its limit needs a key"},
      {"'[]', limit_key => 'a', limit_count => -1", "the rate of its limit cannot be kept"},
      {"'[]', limit_key => 'a', limit_count => 1, limit_period => '0'",
       "the rate of its limit cannot be kept"},
      {"'[]', traceparent => '00-1-2-01'", "traceparent is none"},
      {"'[]', after => ARRAY[42]", "WF001 jobs: push a job: it waits for job 42, which is not there"},
      {"jsonb_build_array(repeat('a', 1100000))", "WF010 jobs: push \"by_sql.send(i64,str)\": it has 1100"},
  };
  for (const auto& one : cases) {
    const std::string said = refusal(one.arguments);
    EXPECT_NE(said.find(one.said), std::string::npos) << one.arguments << ": " << said;
  }
  for (const std::string names : {"'', 'a(i64)'", "NULL, 'a(i64)'", "repeat('q', 201), 'a(i64)'", "'q', NULL",
                                  "'q', 'a'", "'q', '@1234+5(i64)'", "'q', 'a b(i64)'", "'q', '(i64)'"}) {
    const auto failed = database_error_of([&] { number("SELECT weft.weft_push(" + names + ")"); });
    EXPECT_EQ(failed.state(), "WF007") << names << ": " << failed.message();
  }
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 0);
}

}  // namespace
}  // namespace weft::jobs
