// Pushes in transactions that the program has opened itself, on a libpq connection of its own.

#include <weft/jobs/postgres.hpp>

#include <future>

#include <libpq-fe.h>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "postgres_fixture.hpp"

namespace weft::jobs {
namespace {

using weft_test::expect_error;

struct greeted {
  std::vector<std::string> names;
};

closure<> greet(std::string name) {
  return closure{
      named_closure<"own.greet">([](greeted& to, std::string who) { to.names.push_back(std::move(who)); }),
      std::move(name)};
}

/// A connection as a program has it.
class own_connection {
 public:
  explicit own_connection(const std::string& url) : link_(PQconnectdb(url.c_str())) {
    EXPECT_EQ(PQstatus(link_), CONNECTION_OK) << PQerrorMessage(link_);
  }
  own_connection(const own_connection&) = delete;
  own_connection& operator=(const own_connection&) = delete;
  ~own_connection() { PQfinish(link_); }

  ::pg_conn* get() const noexcept { return link_; }
  ExecStatusType run(const std::string& sql) {
    PGresult* const rows = PQexec(link_, sql.c_str());
    const auto status = PQresultStatus(rows);
    PQclear(rows);
    return status;
  }
  /// The first cell.
  std::string text(const std::string& sql) {
    PGresult* const rows = PQexec(link_, sql.c_str());
    std::string cell = PQgetvalue(rows, 0, 0);
    PQclear(rows);
    return cell;
  }

 private:
  ::pg_conn* link_;
};

enum class way : unsigned char { straight, pooled };

/// Straight to the server, and by way of a pooler.
class postgres_own_transaction : public postgres_stores, public testing::WithParamInterface<way> {
 protected:
  void SetUp() override {
    postgres_stores::SetUp();
    way_ = GetParam() == way::pooled ? store_contract_support::through_pooler(url_) : url_;
    app_.provide(greeted_);
    queue_.emplace(open_store(way_), queue_options{.name = "greetings", .keys = keys_});
    mine_.emplace(way_);
    mine_->run("CREATE TABLE customer (name text)");
  }
  void TearDown() override {
    if (PQtransactionStatus(mine_->get()) != PQTRANS_IDLE) mine_->run("ROLLBACK");
    mine_->run("DROP TABLE customer");
    mine_.reset();
    queue_.reset();
    postgres_stores::TearDown();
  }

  job_id push(const std::string& name, const push_options& options = {}) {
    return postgres_transaction(*queue_, mine_->get()).push(greet(name), options);
  }
  void begin() { EXPECT_EQ(mine_->run("BEGIN"), PGRES_COMMAND_OK); }
  void commit() { EXPECT_EQ(mine_->run("COMMIT"), PGRES_COMMAND_OK); }
  void add_customer(const std::string& name) {
    EXPECT_EQ(mine_->run("INSERT INTO customer VALUES ('" + name + "')"), PGRES_COMMAND_OK);
  }
  /// Customers and jobs: as many of each.
  std::int64_t both() {
    const auto jobs = number("SELECT count(*) FROM weft.weft_job");
    EXPECT_EQ(number("SELECT count(*) FROM customer"), jobs);
    return jobs;
  }
  std::vector<std::string> work() {
    greeted_.names.clear();
    run_options room;
    room.stack_bytes = 256 * 1024;  // of the address sanitizer
    run(
        [&] {
          worker_options options;
          options.pass_on_logs = false;
          worker one(*queue_, app_, options);
          one.run_due();
        },
        room);
    return greeted_.names;
  }
  void wait_for(const std::string& count_of_what) {
    const steady_time until = deadline_after(std::chrono::seconds(60));
    while (number(count_of_what) == 0 && steady_clock::now() < until) std::this_thread::yield();
  }

  std::shared_ptr<wire::key_ring> keys_ = std::make_shared<wire::key_ring>(wire::key::generate("k1"));
  services app_;
  greeted greeted_;
  std::optional<queue> queue_;
  std::optional<own_connection> mine_;
  std::string way_;
};

INSTANTIATE_TEST_SUITE_P(ways, postgres_own_transaction, testing::Values(way::straight, way::pooled),
                         [](const auto& of) { return of.param == way::pooled ? "pooled" : "straight"; });

TEST_P(postgres_own_transaction, keeps_both_or_neither) {
  begin();
  add_customer("Ann");
  const job_id id = push("Ann");
  EXPECT_FALSE(queue_->show(id));
  commit();
  EXPECT_TRUE(queue_->show(id));
  EXPECT_EQ(both(), 1);
  begin();
  add_customer("Bob");
  push("Bob", {.delay = std::chrono::hours(1),
               .unique = unique_options{.key = "bob"},
               .tags = {"a"},
               .limit = limit_options{.key = "l"},
               .after = {id}});
  EXPECT_EQ(mine_->run("ROLLBACK"), PGRES_COMMAND_OK);
  EXPECT_EQ(both(), 1);
  EXPECT_EQ(work(), std::vector<std::string>{"Ann"});
}

TEST_P(postgres_own_transaction, is_one_of_its_own_where_none_is_open) {
  push("Ann");
  EXPECT_EQ(work(), std::vector<std::string>{"Ann"});
}

TEST_P(postgres_own_transaction, works_on_a_fiber) {
  job_id id{};
  run([&] {
    begin();
    id = push("Ann");
    commit();
  });
  EXPECT_TRUE(queue_->show(id));
}

TEST_P(postgres_own_transaction, goes_on_where_a_push_fails) {
  begin();
  add_customer("Ann");
  expect_error(
      errc::not_found, [&] { push("Ann", {.after = {job_id{42}}}); }, "waits for job 42");
  EXPECT_EQ(PQtransactionStatus(mine_->get()), PQTRANS_INTRANS);
  push("Ann");
  commit();
  EXPECT_EQ(both(), 1);
}

TEST_P(postgres_own_transaction, leaves_nothing_where_its_session_ends_before_the_commit) {
  begin();
  add_customer("Ann");
  push("Ann");
  number("SELECT count(pg_terminate_backend(" + mine_->text("SELECT pg_backend_pid()") + "))");
  expect_error(errc::unavailable, [&] { push("Ann"); });
  expect_error(
      errc::unavailable, [&] { push("Ann"); }, "its connection is lost");
  mine_.emplace(way_);
  EXPECT_EQ(both(), 0);
}

TEST_P(postgres_own_transaction, lets_others_with_its_unique_key_wait_for_its_end) {
  const push_options only{.unique = unique_options{.key = "ann"}};
  for (const bool keeps : {false, true}) {
    begin();
    const job_id id = push("Ann", only);
    auto other = std::async(std::launch::async, [&] { return queue_->push(greet("Ann"), only); });
    wait_for("SELECT count(*) FROM pg_locks WHERE NOT granted");
    EXPECT_EQ(other.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    mine_->run(keeps ? "COMMIT" : "ROLLBACK");
    EXPECT_EQ(other.get() == id, keeps);
    EXPECT_EQ(work(), std::vector<std::string>{"Ann"});
  }
}

TEST_P(postgres_own_transaction, tells_workers_at_its_commit) {
  weft_test::with_connection(url_, [&](auto& session) {
    session.run("LISTEN weft_jobs");
    const auto heard = [&] {
      session.run("SELECT 1");
      return session.take_notifications().size();
    };
    begin();
    push("Ann");
    push("Ann");
    EXPECT_EQ(heard(), 0U);
    commit();
    EXPECT_EQ(heard(), 1U);
    postgres_transaction(*queue_, mine_->get(), {.wake = false}).push(greet("Ann"));
    EXPECT_EQ(heard(), 0U);
  });
}

TEST_P(postgres_own_transaction, has_names_and_limits_that_it_made_itself) {
  begin();
  EXPECT_EQ(
      mine_->run("SELECT weft.weft_push('greetings', 'own.greet(str)', '[\"Ann\"]', limit_key => 'new')"),
      PGRES_TUPLES_OK);
  push("Bob", {.limit = limit_options{.key = "new"}});  // else the store waits for this transaction
  commit();
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 2);
}

TEST_P(postgres_own_transaction, refuses_connections_that_cannot_take_it) {
  begin();
  mine_->run("SELECT 1 / 0");
  expect_error(
      errc::misuse, [&] { push("Ann"); }, "roll it back and begin again");
  mine_->run("ROLLBACK");
  EXPECT_EQ(PQsendQuery(mine_->get(), "SELECT 1"), 1);
  expect_error(
      errc::misuse, [&] { push("Ann"); }, "read its results first");
  while (PGresult* const rows = PQgetResult(mine_->get())) PQclear(rows);
  PQenterPipelineMode(mine_->get());
  expect_error(
      errc::misuse, [&] { push("Ann"); }, "leave that first");
  PQexitPipelineMode(mine_->get());
  expect_error(
      errc::invalid_argument, [&] { postgres_transaction(*queue_, nullptr).push(greet("Ann")); },
      "there is no connection");
  const std::string elsewhere = "/postgres?" + url_.substr(url_.find('?') + 1);
  const own_connection other(url_.substr(0, url_.find('/', 11)) + elsewhere);
  expect_error(
      errc::not_found,
      [&] {
        postgres_transaction(*queue_, other.get()).push(greet("Ann"), {.limit = limit_options{.key = "l"}});
      },
      "has no schema weft");
  queue elsewhere_kept("memory:", {.keys = keys_});
  expect_error(
      errc::unsupported, [&] { postgres_transaction(elsewhere_kept, mine_->get()); },
      "the queue's store is not in PostgreSQL");
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 0);
}

}  // namespace
}  // namespace weft::jobs
