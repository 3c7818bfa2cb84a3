#include "jobs/sqlite_helpers.hpp"

#include <thread>
#include <vector>

#include <sqlite3.h>

#include <weft/context/context.hpp>

namespace weft::jobs {
namespace {

constexpr key_spec user_spec{.name = "test.user"};
const key<std::int64_t> user{user_spec};

class sqlite_transact : public sqlite_test {
 protected:
  void SetUp() override {
    store_ = open();
    run("CREATE TABLE people (mail TEXT PRIMARY KEY, age INTEGER)");
  }

  sql_rows run(const std::string& sql, std::vector<sql_value> values = {}) {
    sql_rows rows;
    store_->transact([&](store_transaction& transaction) { rows = transaction.run(sql, values); }, {});
    return rows;
  }
  std::int64_t people() { return std::get<std::int64_t>(run("SELECT count(*) FROM people")[0][0]); }
  errc code_of(const std::string& sql) {
    return failure_of([&] { run(sql); }).code();
  }

  std::shared_ptr<store> store_;
};

TEST_F(sqlite_transact, statements_and_push_commit_together) {
  store_->transact(
      [&](store_transaction& transaction) {
        const std::vector<sql_value> values{std::string("a@b.c"), std::int64_t{7}};
        transaction.run("INSERT INTO people VALUES (?, ?)", values);
        EXPECT_EQ(transaction.changes(), 1);
        transaction.push(job(1));
      },
      {});
  EXPECT_EQ(people(), 1);
  EXPECT_TRUE(store_->find(job_id{1}));
  const auto rows = run("SELECT mail, age, NULL, 0.5, x'6100' FROM people");
  EXPECT_EQ(rows[0], (sql_row{std::string("a@b.c"), std::int64_t{7}, std::monostate{}, 0.5,
                              sql_bytes{std::string("a\0", 2)}}));
}

TEST_F(sqlite_transact, an_exception_undoes_statements_and_push_and_reaches_the_caller) {
  struct seat_taken {};
  const auto body = [&](store_transaction& transaction) {
    transaction.run("INSERT INTO people VALUES ('a@b.c', 1)", {});
    transaction.push(job(1));
    throw seat_taken{};
  };
  EXPECT_THROW(store_->transact(body, {}), seat_taken);
  EXPECT_EQ(people(), 0);
  EXPECT_FALSE(store_->find(job_id{1}));
}

TEST_F(sqlite_transact, a_duplicate_is_already_exists) {
  run("INSERT INTO people VALUES ('a@b.c', 1)");
  EXPECT_EQ(code_of("INSERT INTO people VALUES ('a@b.c', 2)"), errc::already_exists);
  EXPECT_EQ(code_of("INSERT INTO peple VALUES (1)"), errc::invalid_argument);
}

TEST_F(sqlite_transact, the_body_cannot_end_the_transaction_nor_change_its_settings) {
  for (const char* const sql :
       {"BEGIN", "COMMIT", "ROLLBACK", "END", "RELEASE weft_request", "ROLLBACK TO weft_request",
        "PRAGMA synchronous=OFF", "PRAGMA journal_mode=DELETE", "ATTACH 'x.db' AS x", "DELETE FROM weft_job",
        "DROP TABLE weft_ready", "UPDATE weft_meta SET value = 9", "ALTER TABLE weft_job RENAME TO other",
        "DROP INDEX weft_ready_queue", "INSERT INTO weft_running VALUES (1,1,1,1,1,1,1,1,1,1,1,1)"}) {
    EXPECT_EQ(code_of(sql), errc::refused) << sql;
  }
  push(*store_, 1);
  EXPECT_TRUE(store_->find(job_id{1}));
}

TEST_F(sqlite_transact, a_savepoint_of_the_body_works) {
  store_->transact(
      [](store_transaction& transaction) {
        transaction.run("SAVEPOINT mine", {});
        transaction.run("INSERT INTO people VALUES ('gone', 1)", {});
        transaction.run("ROLLBACK TO mine", {});
        transaction.run("RELEASE mine", {});
        transaction.run("INSERT INTO people VALUES ('kept', 1)", {});
      },
      {});
  EXPECT_EQ(people(), 1);
}

TEST_F(sqlite_transact, a_push_that_the_body_takes_back_leaves_no_count_and_no_name_behind) {
  auto one = job(1);
  one.queue = "new";
  one.handler = "new.handler";
  store_->transact(
      [&](store_transaction& transaction) {
        transaction.run("SAVEPOINT mine", {});
        transaction.push(one);
        transaction.run("ROLLBACK TO mine", {});
        transaction.run("RELEASE mine", {});
      },
      {});
  EXPECT_TRUE(store_->stats().empty());
  store_->push({&one, 1});
  EXPECT_EQ(store_->find(job_id{1})->queue, "new");
  EXPECT_EQ(store_->find(job_id{1})->handler, "new.handler");
  ASSERT_EQ(store_->stats().size(), 1U);
  EXPECT_EQ(store_->stats().at(0).ready, 1);
}

TEST_F(sqlite_transact, a_statement_that_runs_too_long_is_interrupted_and_undone) {
  const auto endless = [](store_transaction& transaction) {
    transaction.run("INSERT INTO people VALUES ('a', 1)", {});
    transaction.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
                    {});
  };
  transaction_options options;
  options.limit = std::chrono::milliseconds(20);
  EXPECT_EQ(failure_of([&] { store_->transact(endless, options); }).code(), errc::timed_out);
  EXPECT_EQ(people(), 0);
}

// What SQLite undoes with the whole transaction, in a body that does not let the error through.
void lose_the_transaction(store_transaction& transaction) {
  transaction.run("INSERT INTO people VALUES ('first', 1)", {});
  EXPECT_THROW(transaction.run("INSERT OR ROLLBACK INTO people VALUES ('first', 2)", {}), error);
}

TEST_F(sqlite_transact, a_body_does_nothing_more_after_the_end_of_its_transaction) {
  const auto go_on = [](store_transaction& transaction) {
    lose_the_transaction(transaction);
    EXPECT_THROW(transaction.run("INSERT INTO people VALUES ('second', 1)", {}), error);
    EXPECT_THROW(transaction.run("SAVEPOINT mine", {}), error);
    EXPECT_THROW(transaction.push(job(1)), error);
  };
  EXPECT_EQ(failure_of([&] { store_->transact(go_on, {}); }).code(), errc::misuse);
  EXPECT_EQ(people(), 0);
  EXPECT_FALSE(store_->find(job_id{1}));
}

TEST_F(sqlite_transact, a_body_cannot_go_on_behind_the_back_of_its_transaction_either) {
  const auto go_on = [](store_transaction& transaction) {
    lose_the_transaction(transaction);
    sqlite3_exec(transaction.sqlite(), "INSERT INTO people VALUES ('second', 1)", nullptr, nullptr, nullptr);
    sqlite3_exec(transaction.sqlite(), "SAVEPOINT mine; INSERT INTO people VALUES ('third', 1)", nullptr,
                 nullptr, nullptr);
  };
  EXPECT_EQ(failure_of([&] { store_->transact(go_on, {}); }).code(), errc::misuse);
  EXPECT_EQ(people(), 0);
  push(*store_, 1);
  EXPECT_TRUE(store_->find(job_id{1}));
}

TEST_F(sqlite_transact, a_body_that_swallows_its_time_limit_is_undone_whole) {
  transaction_options options;
  options.limit = std::chrono::milliseconds(20);
  const auto go_on = [](store_transaction& transaction) {
    EXPECT_THROW(
        transaction.run("INSERT INTO people WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                        " SELECT i, 1 FROM n",
                        {}),
        error);
    EXPECT_THROW(transaction.push(job(1)), error);
  };
  EXPECT_EQ(failure_of([&] { store_->transact(go_on, options); }).code(), errc::timed_out);
  EXPECT_EQ(people(), 0);
  EXPECT_FALSE(store_->find(job_id{1}));
}

TEST_F(sqlite_transact, the_body_runs_in_the_callers_context) {
  const scoped_value who(user, 42);
  std::int64_t seen = 0;
  store_->transact([&](store_transaction&) { seen = user.value_or(0); }, {});
  EXPECT_EQ(seen, 42);
}

TEST_F(sqlite_transact, one_that_fails_undoes_nothing_of_the_others_in_its_group) {
  std::vector<std::thread> callers;
  for (int number = 0; number < 16; ++number) {
    callers.emplace_back([&, number] {
      for (int round = 0; round < 10; ++round) {
        const int id = 1 + number * 10 + round;
        try {
          store_->transact(
              [&](store_transaction& transaction) {
                const std::vector<sql_value> values{std::to_string(id)};
                transaction.run("INSERT INTO people VALUES (?, 0)", values);
                transaction.push(job(id));
                if (id % 3 == 0) throw std::runtime_error("not this one");
              },
              {});
        } catch (const std::runtime_error&) {
        }
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(people(), 160 - 53);
  EXPECT_EQ(store_->stats().at(0).ready, 160 - 53);
  for (int id = 1; id <= 160; ++id) EXPECT_EQ(store_->find(job_id{id}).has_value(), id % 3 != 0) << id;
}

}  // namespace
}  // namespace weft::jobs
