// Jobs in PostgreSQL, against bare statements and against queues of others that use the same server. All of
// them wait for the disk, as the servers do by default.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/jobs/queue.hpp>

#include "jobs/bare_connection.hpp"
#include "jobs/queue_load.hpp"
#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"
#include "support/postgres_server.hpp"
#include "support/redis_server.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t alone = 1'000;
constexpr std::size_t together = 8'000;
constexpr std::size_t batch = 1'000;
constexpr std::size_t no_ops = 20'000;
constexpr std::size_t wake_ups = 100;

/// One server; a database of it for weft, one for bare statements, and one for the others.
struct servers {
  weft_test::postgres_server postgres{{.durable = true}};
  weft_test::redis_server redis{{.durable = true}};
  std::unique_ptr<weft::jobs::queue> queue;

  servers() {
    bare_connection first(url("postgres"));
    for (const char* const make : {"CREATE DATABASE weft", "CREATE DATABASE bare", "CREATE DATABASE others"})
      first.run(make);
    bare_connection(url("bare")).run("CREATE TABLE bare (id bigserial PRIMARY KEY, envelope text)");
    queue = std::make_unique<weft::jobs::queue>(
        url("weft"), weft::jobs::queue_options{
                         .keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("bench"))});
  }
  std::string url(const std::string& database) const {
    std::string host;
    for (const char one : postgres.folder()) host += one == '/' ? std::string("%2F") : std::string(1, one);
    return "postgres://weft@" + host + '/' + database;
  }
};
std::unique_ptr<servers> all;

void start() { all = std::make_unique<servers>(); }
void end() { all.reset(); }

double bare_inserts(std::size_t connections, std::size_t count) {
  std::vector<std::unique_ptr<bare_connection>> open;
  for (std::size_t n = 0; n < connections; ++n) {
    open.push_back(std::make_unique<bare_connection>(all->url("bare")));
    open.back()->prepare_insert();
  }
  return per_second(count, [&] {
    std::vector<std::thread> threads;
    for (auto& one : open) threads.emplace_back([&] { repeat(count / connections, [&] { one->insert(); }); });
    for (auto& thread : threads) thread.join();
  });
}

/// Two queues of others on the same server, and one on a Redis that writes each change to the disk.
std::vector<baseline> others(const std::string& of, int count, double times) {
  const auto others_url = [] { return all->url("others"); };
  const auto least = times > 0 ? at_least_times(times) : target{};
  const auto redis_path = [] { return all->redis.path(); };
  return {{"pg-boss", npm_peer("pg_boss", of, others_url, count), least},
          {"graphile-worker", npm_peer("graphile_worker", of, others_url, count), least},
          {"BullMQ, appendfsync always", npm_peer("bullmq", of, redis_path, count)}};
}

const add one_producer{{
    .group = "jobs",
    .name = "postgres: push, one producer",
    .unit = "jobs/s",
    .ours = [] { return pushes_by(*all->queue, 1, alone); },
    .baseline = "bare inserts",
    .peer = [] { return bare_inserts(1, alone); },
    .target = at_least(4'500),
    .more = others("push-1", 300, 5),
    .before = start,
    .after = end,
    .store = "postgres",
}};

const add many_producers{{
    .group = "jobs",
    .name = "postgres: push, 16 producers",
    .unit = "jobs/s",
    .ours = [] { return pushes_by(*all->queue, 16, together); },
    .baseline = "bare inserts, 16 connections",
    .peer = [] { return bare_inserts(16, together); },
    .target = at_least(10'000),
    .more = others("push-16", 1'600, 10),
    .before = start,
    .after = end,
    .store = "postgres",
}};

const add batches{{
    .group = "jobs",
    .name = "postgres: push_many of 1,000",
    .unit = "jobs/s",
    .ours = [] { return pushes_of_batches(*all->queue, 10, batch); },
    .more = others("push-many", 10'000, 0),
    .before = start,
    .after = end,
    .store = "postgres",
}};

const add no_op{{
    .group = "jobs",
    .name = "postgres: 20,000 no-ops, defaults; others tuned",
    .unit = "jobs/s",
    .ours = [] { return no_ops_per_second(*all->queue, no_ops); },
    .target = at_least(25'000),
    .more = others("no-ops-tuned", no_ops, 1.5),
    .before = start,
    .after = end,
    .store = "postgres",
}};

const add wake_up{{
    .group = "jobs",
    .name = "postgres: idle, push to start, p50",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(*all->queue, wake_ups, 0.5); },
    .more = others("start-p50", wake_ups, 0),
    .before = start,
    .after = end,
    .store = "postgres",
}};

const add wake_up_late{{
    .group = "jobs",
    .name = "postgres: idle, push to start, p99",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(*all->queue, wake_ups, 0.99); },
    .more = others("start-p99", wake_ups, 0),
    .before = start,
    .after = end,
    .store = "postgres",
}};

}  // namespace
