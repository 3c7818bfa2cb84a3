#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>

#include "postgres_fixture.hpp"
#include "support/pgbouncer_server.hpp"
#include "support/postgres_proxy.hpp"

// By way of a pooler in transaction mode: no session is anybody's own, nobody hears notices, and whose
// process at the server a call has is not known. What is the same as ever is shown by the contract suite,
// which runs by that way, too.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using weft_test::postgres_proxy;
using weft_test::proxy_fault;

class postgres_pooler : public postgres_stores {
 protected:
  store& open_pooled(std::chrono::milliseconds poll_interval = 1s) {
    return *stores_.emplace_back(
        open_store(store_contract_support::through_pooler(url_), {.poll_interval = poll_interval}));
  }
  /// A store whose way to the pooler can be cut.
  store& open_by(const postgres_proxy& way) {
    const std::size_t name = url_.find('/', url_.find("//") + 2);
    std::string url = way.url();
    url.replace(url.find("/postgres?"), std::string("/postgres").size(),
                url_.substr(name, url_.find('?') - name));
    return *stores_.emplace_back(open_store(url, {.busy_timeout = 60s}));
  }
  void wait_until_some_wait_for_a_lock(std::int64_t count) {
    const steady_time until = deadline_after(60s);
    while (number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                  "current_database()") < count &&
           steady_clock::now() < until) {
      std::this_thread::sleep_for(1ms);
    }
  }
  std::int64_t now() { return clock::system().now().time_since_epoch().count(); }

  postgres_proxy way_{store_contract_support::pooler_folder(), postgres_proxy::way::unix_socket,
                      weft_test::pgbouncer_server::port};
};

class postgres_pooler_lost : public postgres_pooler, public testing::WithParamInterface<proxy_fault> {};

TEST_P(postgres_pooler_lost, what_a_lost_claim_took_is_not_kept_from_others) {
  store& own = open_by(way_);
  push(own, job(1));
  push(own, job(2));
  join(own, 1);
  way_.set_fault(GetParam(), "mail");
  const auto claimed = claim(own, 1, 5);
  way_.wait_for_fault();
  EXPECT_EQ(claimed.size(), 2U);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_running"), 2);
  for (const auto& one : claimed) EXPECT_TRUE(own.finish(end(one, 1)));
}

TEST_P(postgres_pooler_lost, a_transaction_whose_commit_is_cut_is_known_to_be_done_or_not) {
  store& own = open_by(way_);
  const bool is_done = GetParam() == proxy_fault::cut_after;
  way_.set_fault(GetParam(), "COMMIT");
  const auto transact = [&] {
    own.transact([&](store_transaction& in) { in.push(job(1)); }, {.limit = 60s});
  };
  if (is_done) {
    EXPECT_NO_THROW(transact());
  } else {
    EXPECT_THROW(transact(), error);
  }
  way_.wait_for_fault();
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), is_done ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(faults, postgres_pooler_lost,
                         testing::Values(proxy_fault::cut_before, proxy_fault::cut_after),
                         [](const auto& fault) {
                           return fault.param == proxy_fault::cut_before ? "cut_before" : "cut_after";
                         });

TEST_F(postgres_pooler,
       what_a_lost_claim_takes_after_its_client_has_asked_for_it_is_given_back_by_heartbeats) {
  store& own = open_by(way_);
  for (std::int64_t id = 1; id <= 3; ++id) push(own, job(id));
  join(own, 1);
  std::future<std::vector<claimed_job>> claiming;
  weft_test::with_connection(url_, [&](auto& holder) {
    holder.run("BEGIN");
    holder.run("LOCK TABLE weft.weft_expiry IN ACCESS EXCLUSIVE MODE");
    claiming = std::async(std::launch::async, [&] { return claim(own, 1, 5, now()); });
    blocking([&] {
      wait_until_some_wait_for_a_lock(1);
      way_.cut_all();
      wait_until_some_wait_for_a_lock(2);  // the first one still is at it, and nobody can end it
    });
    holder.run("COMMIT");
  });
  std::set<job_id> done;
  const auto finish = [&](const std::vector<claimed_job>& all) {
    for (const auto& one : all) {
      EXPECT_TRUE(own.finish(end(one, 1)));
      EXPECT_TRUE(done.insert(one.id).second);
    }
  };
  finish(claiming.get());
  for (int beats = 0; beats < 100 && done.size() < 3; ++beats) {
    own.beat(worker_id{1});
    finish(claim(own, 1, 5, now()));
  }
  EXPECT_EQ(done.size(), 3U);
  EXPECT_EQ(own.stats().at(0).done, 3);
}

TEST_F(postgres_pooler, an_idle_store_looks_for_work_and_for_ends_by_itself) {
  store& idle = open_pooled(50ms);
  store& other = open();
  const auto work = idle.bell();
  const auto ends = idle.end_bell(job_id{1});
  push(other, job(1));
  EXPECT_NE(idle.wait_bell(work, deadline_after(30s)), work);
  EXPECT_NE(idle.wait_end(job_id{1}, ends, deadline_after(30s)), ends);
}

TEST_F(postgres_pooler, a_push_by_its_way_wakes_those_that_have_their_own) {
  store& idle = *stores_.emplace_back(open_store(url_, {.poll_interval = 1h}));
  auto seen = idle.bell();
  seen = idle.wait_bell(seen, deadline_after(30s));  // it has begun to listen
  push(open_pooled(), job(1));
  EXPECT_NE(idle.wait_bell(seen, deadline_after(30s)), seen);
}

TEST_F(postgres_pooler, transactions_that_are_open_at_once_are_apart) {
  store& own = open_pooled();
  push(own, job(100));  // its names are known: a body needs no second session
  std::atomic<int> have_pushed{0};
  std::atomic<int> have_counted{0};
  const auto wait_for_all = [](std::atomic<int>& those) {
    ++those;
    while (those < 3) std::this_thread::yield();
  };
  at_once(3, [&](int number) {
    own.transact(
        [&](store_transaction& in) {
          in.push(job(number + 1));
          wait_for_all(have_pushed);
          EXPECT_EQ(in.run("SELECT count(*) FROM weft.weft_job", {}).at(0).at(0), sql_value(std::int64_t{2}));
          wait_for_all(have_counted);
        },
        {.limit = 60s});
  });
  EXPECT_EQ(own.stats().at(0).ready, 4);
}

}  // namespace
}  // namespace weft::jobs
