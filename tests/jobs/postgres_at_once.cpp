#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include <weft/core/error.hpp>

#include "jobs/job_life.hpp"
#include "postgres_fixture.hpp"

// Several stores on one database, as several processes have them.

namespace weft::jobs {
namespace {

using postgres_at_once = postgres_stores;

new_job keyed(new_job one, const std::string& key) {
  one.unique = unique_key{key};
  return one;
}

new_job limited(new_job one, const std::string& key, int max) {
  one.limit = limit_options{key, max};
  return one;
}

}  // namespace

TEST_F(postgres_at_once, the_functions_know_the_life_of_a_job) {
  weft_test::with_connection(url_, [](auto& session) {
    for (const auto& rule : job_rules) {
      if (!rule.to) continue;  // the row is deleted
      const auto event = std::to_string(static_cast<int>(rule.what));
      for (int from = -1; from < 8; ++from) {
        const bool begins = rule.what <= job_event::pushed_behind;
        const bool possible = from < 0 ? begins : rule.from.contains(static_cast<job_state>(from));
        const std::string sql = "SELECT weft.weft_state_after(" + std::to_string(from) + "," + event + ")";
        if (possible) {
          EXPECT_EQ(session.run(sql).integer(0, 0), static_cast<std::int64_t>(*rule.to)) << sql;
        } else {
          EXPECT_THROW(session.run(sql), error) << sql;
        }
      }
    }
  });
}

TEST_F(postgres_at_once, no_job_is_claimed_twice) {
  constexpr std::int64_t count = 1500;
  std::vector<new_job> all;
  for (std::int64_t id = 1; id <= count; ++id) {
    all.push_back(job(id));
    all.back().handler = "closure " + std::to_string(id % 3);
    all.back().priority = static_cast<int>(id % 2);
  }
  open().push(all);
  std::array<store*, 4> stores{&open(), &open(), &open(), &open()};
  std::mutex mutex;
  std::map<job_id, int> claims;
  std::atomic<std::int64_t> done{0};
  at_once(8, [&](int number) {
    store& own = *stores.at(static_cast<std::size_t>(number) % stores.size());
    join(own, number + 1);
    while (done < count) {
      for (const auto& one : claim(own, number + 1, 7)) {
        {
          const std::lock_guard lock(mutex);
          ++claims[one.id];
        }
        if (own.finish(end(one, number + 1))) ++done;
      }
    }
  });
  EXPECT_EQ(claims.size(), static_cast<std::size_t>(count));
  for (const auto& [id, times] : claims) EXPECT_EQ(times, 1) << to_string(id);
  EXPECT_EQ(stores[0]->stats().at(0).done, count);
}

TEST_F(postgres_at_once, of_64_pushes_of_one_key_one_job_comes) {
  std::array<store*, 4> stores{&open(), &open(), &open(), &open()};
  std::mutex mutex;
  std::set<job_id> ids;
  at_once(64, [&](int number) {
    const auto one = keyed(job(number + 1), "key");
    const auto got = stores.at(static_cast<std::size_t>(number) % stores.size())->push({&one, 1});
    const std::lock_guard lock(mutex);
    ids.insert(got.begin(), got.end());
  });
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(stores[0]->list({}).size(), 1U);
}

TEST_F(postgres_at_once, pushes_that_take_keys_in_opposite_orders_all_succeed) {
  std::array<store*, 2> stores{&open(), &open()};
  at_once(2, [&](int number) {
    for (int round = 0; round < 6; ++round) {
      std::vector<new_job> batch;
      for (int key = 0; key < 12; ++key) {
        const int at_place = number == 0 ? key : 11 - key;
        const std::int64_t id = 1 + number * 10'000 + round * 100 + key;
        batch.push_back(keyed(job(id), "key " + std::to_string(round) + " " + std::to_string(at_place)));
      }
      EXPECT_EQ(stores.at(static_cast<std::size_t>(number))->push(batch).size(), batch.size());
    }
  });
  EXPECT_EQ(stores[0]->stats().at(0).ready, 6 * 12);
}

TEST_F(postgres_at_once, limits_hold_over_all_stores_and_all_jobs_run) {
  constexpr std::int64_t count = 120;
  constexpr int max = 2;
  std::array<store*, 3> stores{&open(), &open(), &open()};
  std::vector<new_job> all;
  for (std::int64_t id = 1; id <= count; ++id)
    all.push_back(limited(job(id), "tenant " + std::to_string(id % 4), max));
  stores[0]->push(all);
  std::array<std::atomic<int>, 4> running{};
  std::atomic<int> most{0};
  std::atomic<std::int64_t> done{0};
  at_once(6, [&](int number) {
    store& own = *stores.at(static_cast<std::size_t>(number) % stores.size());
    join(own, number + 1);
    while (done < count) {
      for (const auto& one : claim(own, number + 1, 3)) {
        auto& of = running.at(static_cast<std::size_t>(static_cast<std::int64_t>(one.id) % 4));
        const int now = ++of;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --of;  // before its end, which makes room for another
        if (own.finish(end(one, number + 1))) ++done;
      }
    }
  });
  EXPECT_LE(most, max);
  EXPECT_EQ(stores[0]->stats().at(0).done, count);
}

TEST_F(postgres_at_once, a_job_that_is_pushed_while_the_one_it_waits_for_ends_does_not_wait_for_ever) {
  std::array<store*, 2> stores{&open(), &open()};
  join(*stores[0], 1);
  for (std::int64_t round = 1; round <= 40; ++round) {
    push(*stores[0], job(2 * round));
    const auto parent = claim(*stores[0], 1, 1);
    ASSERT_EQ(parent.size(), 1U);
    auto child = job(2 * round + 1);
    child.after = {{parent[0].id, false}};
    at_once(2, [&](int number) {
      if (number == 0) {
        EXPECT_TRUE(stores[0]->finish(end(parent[0], 1)));
      } else {
        push(*stores[1], child);
      }
    });
    const auto next = claim(*stores[0], 1, 1);
    ASSERT_EQ(next.size(), 1U) << round;
    EXPECT_EQ(next[0].id, child.id);
    EXPECT_TRUE(stores[0]->finish(end(next[0], 1)));
  }
}

TEST_F(postgres_at_once, an_open_transaction_that_pushed_holds_nobody_up) {
  store& user = open();
  store& other = open();
  join(other, 1);
  push(other, limited(job(1), "tenant", 1));
  push(other, limited(job(2), "tenant", 1));
  const auto running = claim(other, 1, 1);
  ASSERT_EQ(running.size(), 1U);
  user.transact(
      [&](store_transaction& inside) {
        auto late = limited(job(10), "tenant", 1);
        late.queue = "new";
        inside.push(late);
        inside.push(limited(job(11), "another", 5));
        inside.push(keyed(job(12), "key"));
        std::thread meanwhile([&] {
          auto same_names = limited(job(20), "another", 5);
          same_names.queue = "new";
          push(other, same_names);
          push(other, keyed(job(21), "another key"));
          EXPECT_TRUE(other.finish(end(running[0], 1)));
          const auto next = claim(other, 1, 10);
          EXPECT_EQ(next.size(), 2U);
          for (const auto& one : next) EXPECT_TRUE(other.finish(end(one, 1)));
          EXPECT_FALSE(other.find(job_id{10}));
        });
        meanwhile.join();
      },
      {.limit = std::chrono::seconds(60)});
  EXPECT_EQ(other.find(job_id{10})->state, job_state::ready);
}

TEST_F(postgres_at_once, whatever_is_done_at_once_nothing_is_torn_and_all_jobs_end) {
  std::array<store*, 3> stores{&open(), &open(), &open()};
  std::atomic<std::int64_t> last_id{0};
  const auto allowed = [](errc code) {
    return code == errc::not_found || code == errc::refused || code == errc::already_exists;
  };
  at_once(6, [&](int number) {
    std::mt19937 random(static_cast<unsigned>(number) + 7);
    store& own = *stores.at(static_cast<std::size_t>(number) % stores.size());
    const std::int64_t worker = number + 1;
    join(own, worker);
    std::vector<claimed_job> held;
    const auto any_id = [&] { return job_id{1 + static_cast<std::int64_t>(random() % 60) + last_id / 2}; };
    for (int step = 0; step < 120; ++step) {
      const auto pick = random() % 100;
      const std::int64_t now = 1000 + step;
      try {
        if (pick < 35) {
          auto one = job(++last_id);
          one.created = at(now);
          one.run_at = at(now + (pick % 3 == 0 ? 20 : 0));
          if (pick % 4 == 0) one = keyed(one, "key " + std::to_string(random() % 5));
          if (pick % 5 == 0)
            one = limited(one, "tenant " + std::to_string(random() % 3), 1 + static_cast<int>(pick % 2));
          if (pick % 5 == 0 && pick % 2 == 0) one.limit->rate = {1, std::chrono::microseconds(5), 2};
          if (pick % 3 == 0) one.tags = {"eu"};
          if (pick % 7 == 0) one.after = {{job_id{last_id - 3}, true}, {job_id{last_id - 5}, false}};
          if (pick % 11 == 0) one.expires = at(now + 10);
          push(own, one);
        } else if (pick < 65) {
          for (auto& one : claim(own, worker, 1 + pick % 4, now)) held.push_back(one);
        } else if (pick < 85 && !held.empty()) {
          const auto next = static_cast<next_step>(random() % 6);
          const auto one = held.back();
          held.pop_back();
          own.finish(end(one, worker, next, now));
        } else if (pick < 89) {
          own.cancel(any_id(), at(now));
        } else if (pick < 93) {
          own.retry(any_id(), at(now));
        } else if (pick < 95) {
          own.purge(at(now - 30), at(now), 20);
        } else if (pick < 97) {
          const auto present = own.workers();
          own.rescue(present.at(random() % present.size()), at(now), 2);
        } else {
          join(own, worker);
          own.beat(worker_id{worker});
        }
      } catch (const error& refused) {
        EXPECT_TRUE(allowed(refused.code())) << refused.what();
        if (refused.code() == errc::not_found) join(own, worker);
      }
    }
    own.remove_worker(worker_id{worker}, at(1200));
  });
  EXPECT_EQ(check_database(url_).problems, std::vector<std::string>{});
  // What is left waits for nothing but its turn, or for jobs that were given up.
  store& last = *stores[0];
  join(last, 99);
  for (std::int64_t now = 2'000'000;; now += 1000) {
    const auto some = claim(last, 99, 50, now);
    for (const auto& one : some) EXPECT_TRUE(last.finish(end(one, 99, next_step::done, now)));
    const auto left = last.stats().at(0);
    if (some.empty() && left.ready + left.scheduled + left.running == 0) break;
    ASSERT_LT(now, 3'000'000) << "it never ends";
  }
}

}  // namespace weft::jobs
