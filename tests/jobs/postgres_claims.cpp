// Where claims begin to look: behind what they were given, and nothing that comes in there is left.

#include <charconv>
#include <stdexcept>
#include <string>

#include "jobs/postgres/link/address.hpp"
#include "jobs/postgres/link/connection.hpp"
#include "postgres_fixture.hpp"

namespace weft::jobs {
namespace {

class postgres_claims : public postgres_stores {
 protected:
  using ids = std::vector<std::int64_t>;

  static void push_at(store& to, std::int64_t id, std::int64_t run_at) {
    new_job one = job(id);
    one.created = one.run_at = at(run_at);
    push(to, one);
  }
  static void push_some(store& to, std::int64_t first, std::int64_t last, bool one_by_one = false) {
    std::vector<new_job> all;
    for (std::int64_t id = first; id <= last; ++id) {
      all.push_back(job(id));
      if (one_by_one) all.back().created = at(id);
      all.back().run_at = all.back().created;
    }
    to.push(all);
  }
  static ids ids_of(const std::vector<claimed_job>& jobs) {
    ids all;
    for (const auto& one : jobs) all.push_back(static_cast<std::int64_t>(one.id));
    return all;
  }
  static ids claim_ids(store& from, std::size_t count, std::int64_t now = 1000, std::int64_t worker = 1) {
    return ids_of(claim(from, worker, count, now));
  }
  static std::string closure(postgres::connection& session) {
    const auto rows = session.run("SELECT id FROM weft.weft_handler WHERE identity = 'mail.welcome'");
    return std::to_string(rows.integer(0, 0));
  }
  static std::string queue(postgres::connection& session) {
    return std::to_string(session.run("SELECT id FROM weft.weft_queue WHERE name = 'mail'").integer(0, 0));
  }
  /// Pages that the server looked at for a claim of ten jobs, which it undoes.
  static std::int64_t pages_of_claim(postgres::connection& session, const std::string& where_to_begin) {
    session.run("BEGIN");
    const auto plan = session.run(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT TEXT) SELECT * FROM"
        " weft.weft_claim(1, '{mail}', 10, 1000, '{" +
            closure(session) + "}', '{}', true, true, " + where_to_begin + ")",
        {}, {.prepare = false});
    session.run("ROLLBACK");
    EXPECT_NE(plan.text(0, 0).find("rows=11 "), std::string::npos) << plan.text(0, 0);
    const std::string line(plan.text(1, 0));
    std::int64_t pages = 0;
    for (const char* const kind : {"hit=", "read="}) {
      const auto found = line.find(kind);
      if (found == std::string::npos) continue;
      std::int64_t some = 0;
      std::from_chars(line.data() + found + std::string(kind).size(), line.data() + line.size(), some);
      pages += some;
    }
    EXPECT_GT(pages, 0) << line;
    return pages;
  }
  /// Pages that a look for the jobs of a line with these numbers, which are their run_at, reads; it is
  /// undone.
  static std::int64_t pages_of_slice(postgres::connection& session, std::int64_t first, std::int64_t end) {
    session.run("BEGIN");
    const auto told = session.run("SELECT g FROM weft.weft_claim_slice(1, 1, 'mail', " + closure(session) +
                                      ", 0, " + std::to_string(first) + ", 0, " + std::to_string(end) +
                                      ", 0, 10, 100000) WHERE kind = 0",
                                  {}, {.prepare = false});
    session.run("ROLLBACK");
    return told.integer(0, 0);
  }
  /// So many jobs are pushed, claimed and done.
  static void pass(store& by, std::int64_t first, std::int64_t last, bool one_by_one = false) {
    push_some(by, first, last, one_by_one);
    for (;;) {
      const auto taken = claim(by, 1, 1000, 100'000);
      if (taken.empty()) return;
      at_once(16, [&](int number) {
        for (auto i = static_cast<std::size_t>(number); i < taken.size(); i += 16)
          EXPECT_TRUE(by.finish(end(taken[i], 1)));
      });
    }
  }
};

TEST_F(postgres_claims, jobs_that_come_back_are_claimed_in_their_places) {
  store& own = open();
  join(own, 1);
  for (std::int64_t id = 1; id <= 9; ++id) push_at(own, id, 100 + id);
  const auto first = claim(own, 1, 3);
  ASSERT_EQ(ids_of(first), (ids{1, 2, 3}));
  EXPECT_TRUE(own.finish(end(first[1], 1, next_step::released)));
  EXPECT_EQ(claim_ids(own, 2), (ids{2, 4}));
  auto again = end(first[0], 1, next_step::again);
  again.now = again.run_at = at(104);
  EXPECT_TRUE(own.finish(again));
  EXPECT_EQ(claim_ids(own, 2), (ids{1, 5}));
  again = end(first[2], 1, next_step::again, 1000);
  again.run_at = at(1005);
  EXPECT_TRUE(own.finish(again));
  push_at(own, 10, 105);
  EXPECT_EQ(claim_ids(own, 2), (ids{10, 6})) << "one that says an earlier moment";
  push_at(own, 11, 1010);
  EXPECT_EQ(claim_ids(own, 4, 1020), (ids{7, 8, 9, 3})) << "one that fell due";
  EXPECT_EQ(claim_ids(own, 4, 1020), (ids{11}));
}

TEST_F(postgres_claims, a_job_that_is_given_up_and_retried_is_found) {
  store& own = open();
  join(own, 1);
  for (std::int64_t id = 1; id <= 4; ++id) push_at(own, id, 1000 + id);
  const auto first = claim(own, 1, 2, 1010);
  EXPECT_TRUE(own.finish(end(first[0], 1, next_step::dead)));
  EXPECT_TRUE(own.retry(first[0].id, at(1001)));
  EXPECT_EQ(claim_ids(own, 1, 1010), (ids{1}));
  own.remove_worker(worker_id{1}, at(1010));
  join(own, 1);
  EXPECT_EQ(claim_ids(own, 4, 1010), (ids{1, 2, 3, 4}));
}

TEST_F(postgres_claims, a_more_urgent_line_is_seen_when_it_has_jobs) {
  store& own = open();
  join(own, 1);
  push_some(own, 1, 6);
  EXPECT_EQ(claim_ids(own, 2), (ids{1, 2}));
  auto urgent = job(7);
  urgent.priority = -5;
  auto other = job(8);
  other.handler = "mail.goodbye";
  other.priority = -5;
  store& another = open();
  push(another, urgent);
  push(another, other);
  EXPECT_EQ(claim_ids(own, 3), (ids{7, 8, 3}));
  EXPECT_EQ(claim_ids(own, 10), (ids{4, 5, 6}));
}

TEST_F(postgres_claims, what_others_put_behind_is_found_before_a_worker_is_told_that_there_is_no_more) {
  store& own = open();
  store& another = open();
  join(own, 1);
  join(another, 2);
  for (std::int64_t id = 1; id <= 12; ++id) push_at(own, id, 100 + id);
  const auto theirs = claim(another, 2, 2);
  ASSERT_EQ(ids_of(theirs), (ids{1, 2}));
  ASSERT_EQ(claim_ids(own, 2), (ids{3, 4}));
  ASSERT_EQ(claim_ids(own, 2), (ids{5, 6}));
  EXPECT_TRUE(another.finish(end(theirs[0], 2, next_step::released)));
  push_at(another, 13, 50);
  auto later = end(theirs[1], 2, next_step::again, 900);
  later.run_at = at(950);
  EXPECT_TRUE(another.finish(later));
  ids rest = claim_ids(own, 20);
  std::ranges::sort(rest);
  EXPECT_EQ(rest, (ids{1, 2, 7, 8, 9, 10, 11, 12, 13}));
  EXPECT_EQ(claim_ids(own, 1), ids{});
  another.remove_worker(worker_id{2}, at(1000));
}

TEST_F(postgres_claims, a_push_that_commits_late_is_found) {
  store& own = open();
  join(own, 1);
  push_at(own, 1, 200);
  ASSERT_EQ(claim_ids(own, 1), (ids{1}));
  weft_test::with_connection(url_, [&](auto& session) {
    session.run("BEGIN");
    session.run("SELECT weft.weft_push('{2}', '{" + queue(session) + "}', '{" + closure(session) +
                "}', '{0}', '{100}', '{100}', '{0}', '{x}', NULL, NULL, NULL,"
                " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false)");
    push_at(own, 3, 300);
    EXPECT_EQ(claim_ids(own, 1), (ids{3}));
    EXPECT_EQ(claim_ids(own, 1), ids{});
    session.run("COMMIT");
    EXPECT_EQ(claim_ids(own, 1), (ids{2}));
  });
}

TEST_F(postgres_claims, a_claim_beside_an_open_transaction_reads_no_more_after_many_jobs) {
  constexpr std::int64_t few = 200;
  constexpr std::int64_t many = 20'000;
  store& own = open();
  join(own, 1);
  const std::string whole = "NULL, NULL, NULL, NULL, NULL, NULL, NULL";
  weft_test::with_connection(url_, [&](auto& holder) {
    holder.run("BEGIN");
    holder.run("SELECT pg_current_xact_id()::text");
    const auto session = postgres::connection::open(postgres::address(url_));
    pass(own, 1, few);
    const auto after = [number = closure(*session)](std::int64_t id) {
      return "900, '{1,1}', '{" + number + ',' + number +
             "}', '{-2147483648,0}', '{-9223372036854775808,100}', '{-9223372036854775808," +
             std::to_string(id) + "}', '{0,2147483648}'";
    };
    push_some(own, many + 1, many + 100);
    (void)pages_of_claim(*session, after(few));  // the first call of a session reads catalogs and makes plans
    (void)pages_of_claim(*session, whole);
    const auto before = pages_of_claim(*session, after(few));
    pass(own, few + 1, many);
    push_some(own, many + 101, many + 200);
    EXPECT_LT(pages_of_claim(*session, after(many)), 2 * before);
    EXPECT_GT(pages_of_claim(*session, whole), 2 * before) << "what is there to be passed over";
    holder.run("COMMIT");
  });
}

TEST_F(postgres_claims, what_comes_in_behind_beside_an_open_transaction_is_found_slice_by_slice) {
  constexpr std::int64_t late = 10'000;
  constexpr std::int64_t many = 20'000;
  store& own = open();
  join(own, 1);
  weft_test::with_connection(url_, [&](auto& holder) {
    holder.run("BEGIN");
    holder.run("SELECT pg_current_xact_id()::text");
    pass(own, 1, late - 1, true);
    pass(own, late + 1, many, true);
    push_some(own, many + 1, many + 20'000, true);
    ASSERT_EQ(claim_ids(own, 1, 100'000), (ids{many + 1}));
    push_some(open(), late, late, true);
    const auto session = postgres::connection::open(postgres::address(url_));
    (void)pages_of_slice(*session, 1, many);  // the first call of a session makes the plan
    const auto slice = pages_of_slice(*session, late - 1000, late + 1000);
    EXPECT_GT(slice, 0);
    EXPECT_LT(4 * slice, pages_of_slice(*session, 1, many));
    // Claims that are full all the time come to it, too.
    ids taken;
    const auto until = steady_clock::now() + std::chrono::seconds(60);
    while (taken != ids{late} && steady_clock::now() < until) taken = claim_ids(own, 1, 100'000);
    EXPECT_EQ(taken, (ids{late}));
    holder.run("COMMIT");
  });
}

TEST_F(postgres_claims, what_falls_due_beside_a_closure_that_is_new_is_claimed_in_its_place) {
  store& own = open();
  join(own, 1);
  for (std::int64_t id = 1; id <= 4; ++id) push_at(own, id, 2000 + id);
  new_job due = job(5);
  due.run_at = at(1500);
  push(own, due);
  ASSERT_EQ(claim_ids(own, 1, 1400), (ids{1}));
  new_job other = job(6);
  other.handler = "mail.goodbye";
  other.created = other.run_at = at(3000);
  push(open(), other);
  EXPECT_EQ(claim_ids(own, 1, 4000), (ids{5}));
  EXPECT_EQ(claim_ids(own, 5, 4000), (ids{2, 3, 4, 6}));
}

TEST_F(postgres_claims, a_claim_that_fails_after_it_got_jobs_tells_of_them) {
  store& own = open();
  join(own, 1);
  own.put_schedule({"report", "mail", "@hourly", "envelope", at(1), at(500)});
  push_some(own, 1, 2);
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"mail"};
  request.count = 10;
  request.now = at(1000);
  request.wants_schedule = [](const stored_schedule&) -> bool { throw std::runtime_error("on purpose"); };
  const auto claimed = own.claim(request);
  EXPECT_EQ(ids_of(claimed.jobs), (ids{1, 2}));
  EXPECT_EQ(claimed.next_due, request.now) << "the next claim is not put off";
  EXPECT_THROW(own.claim(request), std::runtime_error);
}

TEST_F(postgres_claims, a_slice_leaves_jobs_that_have_expired) {
  store& own = open();
  join(own, 1);
  std::vector<new_job> all;
  for (std::int64_t id = 1; id <= 4; ++id) {
    all.push_back(job(id));
    all.back().run_at = all.back().created;
  }
  all[0].expires = at(999);
  all[1].expires = at(1000);
  all[2].expires = at(5000);
  own.push(all);
  weft_test::with_connection(url_, [&](auto& session) {
    session.run("BEGIN");
    const auto told = session.run("SELECT a FROM weft.weft_claim_slice(1, 1, 'mail', " + closure(session) +
                                  ", 0, 0, 0, 1000, 0, 10, 1000) WHERE kind = 1 ORDER BY a");
    ASSERT_EQ(told.rows(), 3U);
    EXPECT_EQ(told.integer(0, 0), 2) << "its last moment";
    session.run("ROLLBACK");
  });
  EXPECT_EQ(claim_ids(own, 10), (ids{2, 3, 4}));
  EXPECT_EQ(own.stats().at(0).dead, 1);
}

TEST_F(postgres_claims, many_jobs_that_come_in_behind_beside_an_open_transaction_are_claimed_in_a_row) {
  constexpr std::int64_t many = 20'000;
  constexpr std::int64_t late = 2'000;  // each at the moment of one that is passed over
  constexpr std::int64_t each = 100;
  store& own = open();
  join(own, 1);
  weft_test::with_connection(url_, [&](auto& holder) {
    holder.run("BEGIN");
    holder.run("SELECT pg_current_xact_id()::text");
    pass(own, 1, many, true);
    push_some(own, many + 1, many + 20'000, true);
    ASSERT_EQ(claim_ids(own, 1, 100'000), (ids{many + 1}));
    std::vector<new_job> all;
    for (std::int64_t n = 1; n <= late; ++n) {
      all.push_back(job(100'000 + n));
      all.back().created = all.back().run_at = at(10'000 + n);
    }
    open().push(all);
    const auto claim_late = [&] {
      const auto taken = claim_ids(own, each, 100'000);
      return std::ranges::count_if(taken, [](std::int64_t id) { return id > 100'000; });
    };
    std::int64_t found = 0;
    const auto until = steady_clock::now() + std::chrono::seconds(60);
    while (found == 0 && steady_clock::now() < until) found = claim_late();
    // Every second one; slices end in between, and a whole look is as good.
    std::int64_t claims = 0;
    for (; found < late && claims < 2 * late / each + 10; ++claims) found += claim_late();
    EXPECT_EQ(found, late) << claims;
    holder.run("COMMIT");
  });
}

TEST_F(postgres_claims, a_limits_row_changes_once_for_all_jobs_that_a_call_takes_or_ends) {
  constexpr const char* changes =
      "SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'weft_limit'";
  store& own = open();
  join(own, 1);
  std::vector<new_job> all;
  for (std::int64_t id = 1; id <= 50; ++id) {
    all.push_back(job(id));
    all.back().run_at = all.back().created;
    all.back().limit = limit_options{.key = "one", .max = 100};
  }
  own.push(all);
  weft_test::with_connection(url_, [&](auto& session) {
    session.run("BEGIN");
    const auto claimed = session.run("SELECT count(*) FROM weft.weft_claim(1, '{mail}', 50, 1000, '{" +
                                     closure(session) + "}', '{}', true) WHERE kind = 1");
    EXPECT_EQ(claimed.integer(0, 0), 50);
    EXPECT_LE(session.run(changes).integer(0, 0), 3);
    EXPECT_EQ(session.run("SELECT running FROM weft.weft_limit").integer(0, 0), 50);
    session.run("COMMIT");
    session.run("BEGIN");
    session.run(
        "SELECT weft.weft_finish(array_agg(id ORDER BY id), array_agg(owner), array_agg(fence ORDER BY id),"
        " array_agg(0::bigint), array_agg(2000::bigint), array_agg(2000::bigint), array_agg(1::bigint),"
        " array_agg(0::bigint), array_agg(0::bigint), array_agg(1::bigint), array_agg(0::bigint),"
        " array_agg(1000::bigint), array_agg(2000::bigint), array_agg(NULL::bytea), array_agg(NULL::bytea),"
        " array_agg(NULL::bytea), true, true) FROM weft.weft_running");
    EXPECT_LE(session.run(changes).integer(0, 0), 3);
    EXPECT_EQ(session.run("SELECT running FROM weft.weft_limit").integer(0, 0), 0);
    session.run("COMMIT");
  });
}

}  // namespace
}  // namespace weft::jobs
