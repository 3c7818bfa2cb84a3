// What a claim costs in PostgreSQL after many jobs: beside a transaction that has been open all the time, so
// that the server could clean nothing away, and beside many that are done or wait. And what cleaning costs.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/bare_connection.hpp"
#include "jobs/sizes.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"
#include "support/postgres_server.hpp"

namespace {

using namespace weft::bench;
using weft::jobs::claim_request;
using weft::jobs::claimed_job;
using weft::jobs::job_id;
using weft::jobs::moment;
using weft::jobs::new_job;
using weft::jobs::worker_id;

// These take minutes, and some 8 GB. WEFT_BENCH_PASSED and WEFT_BENCH_POSTGRES_MANY say other numbers of
// jobs, in thousands.
const std::size_t many_passed = thousands("WEFT_BENCH_PASSED", 1'000);
const std::size_t many = thousands("WEFT_BENCH_POSTGRES_MANY", 10'000);
constexpr std::size_t few = 10'000;
constexpr std::size_t cleaned = 100'000;

constexpr std::size_t claims = 200;
constexpr std::size_t jobs_a_claim = 64;
// Claims come one by one, as of a worker with some work to do: what is done now and then is among them.
constexpr std::chrono::milliseconds pace{30};
constexpr double longest = 1;

/// A database of its own on a server, and a store that works through jobs in it.
class worked_store {
 public:
  worked_store(const weft_test::postgres_server& server, const std::string& name) {
    std::string host;
    for (const char one : server.folder()) host += one == '/' ? std::string("%2F") : std::string(1, one);
    const std::string server_url = "postgres://weft@" + host + '/';
    bare_connection(server_url + "postgres").run("CREATE DATABASE " + name);
    kept_ = weft::jobs::open_store(server_url + name);
    kept_->add_worker({.id = worker_id{1}, .host = "bench", .pid = 1, .build = "bench"});
    ending_ = std::make_unique<bare_connection>(server_url + name);
    ending_->run("SET synchronous_commit = off");
    holding_ = std::make_unique<bare_connection>(server_url + name);
  }

  /// From now on a transaction is open that could see all there is.
  void hold() { holding_->run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()"); }
  /// So many jobs are pushed, claimed and done.
  void pass(std::size_t count) {
    for (std::size_t left = count; left > 0;) {
      const std::size_t some = std::min<std::size_t>(left, 20'000);
      push(some);
      for (std::size_t done = 0; done < some;) done += claim_and_end().size();
      left -= some;
    }
  }
  /// As if that many had run: too many to run them here.
  void add_done(std::size_t count) {
    fill(
        "INSERT INTO weft_job (id, created, limit_id, queue, handler, priority, envelope) SELECT -n, n, 0, "
        "1, 1, 0, 'x'",
        count);
    fill(
        "INSERT INTO weft_done (id, finished, fence, queue, attempts, backoffs, crashes) SELECT -n, n, 1, 1, "
        "1, 0, 0",
        count);
    ending_->run("INSERT INTO weft.weft_count VALUES (1, 3, 0, " + std::to_string(count) + ")");
  }
  /// As if that many had been pushed, behind all others.
  void add_waiting(std::size_t count) {
    fill(
        "INSERT INTO weft_job (id, created, limit_id, queue, handler, priority, envelope) SELECT n + "
        "(1::bigint << 40), n, "
        "0, 1, 1, 0, 'x'",
        count);
    fill(
        "INSERT INTO weft_ready SELECT n + (1::bigint << 40), n + (1::bigint << 40), 0, 0, 1, 1, 0, 0, 0, 0, "
        "0",
        count);
    ending_->run("INSERT INTO weft.weft_count VALUES (1, 1, 1, " + std::to_string(count) + ")");
  }
  /// Jobs a second that a cleaning deletes.
  double cleaned_per_second() {
    push(cleaned);
    for (std::size_t done = 0; done < cleaned;) done += claim_and_end().size();
    const moment all(std::chrono::hours(24 * 365 * 100));
    return per_second(cleaned, [&] {
      for (std::size_t left = cleaned; left > 0;) left -= std::min(left, kept_->purge(all, all, 1'000));
    });
  }

  /// Milliseconds of a claim, of which so many take no longer.
  double claim_ms(double share) {
    push(claims * jobs_a_claim);
    std::vector<double> samples;
    repeat(claims, [&] {
      std::this_thread::sleep_for(pace);
      double took = 0;
      claim_and_end(&took);
      samples.push_back(1e3 * took);
    });
    return percentile(samples, share);
  }

 private:
  void fill(const std::string& insertion, std::size_t count) {
    ending_->run("SET search_path = weft");
    ending_->run(insertion + " FROM generate_series(1, " + std::to_string(count) + ") n");
  }
  void push(std::size_t count) {
    std::vector<new_job> batch;
    for (std::size_t i = 0; i < count; ++i) {
      new_job one;
      one.id = job_id{++last_};
      one.queue = "bench";
      one.handler = "bench.no_op";
      one.envelope.assign(300, 'x');
      one.created = one.run_at = moment(std::chrono::microseconds(last_));
      batch.push_back(std::move(one));
      if (batch.size() < 1'000 && i + 1 < count) continue;
      kept_->push(batch);
      batch.clear();
    }
  }
  std::vector<claimed_job> claim_and_end(double* took = nullptr) {
    claim_request request;
    request.owner = worker_id{1};
    request.queues = {"bench"};
    request.count = jobs_a_claim;
    request.now = moment(std::chrono::microseconds(last_));
    std::vector<claimed_job> jobs;
    const double spent = seconds([&] { jobs = kept_->claim(request).jobs; });
    if (took != nullptr) *took = spent;
    std::string ids;
    std::string fences;
    for (const auto& one : jobs) {
      ids += (ids.empty() ? "" : ",") + std::to_string(static_cast<std::int64_t>(one.id));
      fences += (fences.empty() ? "" : ",") + std::to_string(one.fence);
    }
    const std::string one = "array_fill(1::bigint, ARRAY[" + std::to_string(jobs.size()) + "])";
    const std::string zero = "array_fill(0::bigint, ARRAY[" + std::to_string(jobs.size()) + "])";
    const std::string none = "array_fill(NULL::bytea, ARRAY[" + std::to_string(jobs.size()) + "])";
    ending_->run("SELECT weft.weft_finish('{" + ids + "}', " + one + ", '{" + fences + "}', " + zero + ", " +
                 one + ", " + one + ", " + zero + ", " + zero + ", " + zero + ", " + one + ", " + zero +
                 ", " + one + ", " + one + ", " + none + ", " + none + ", " + none + ", false, true)");
    return jobs;
  }

  std::shared_ptr<weft::jobs::store> kept_;
  std::unique_ptr<bare_connection> ending_;
  std::unique_ptr<bare_connection> holding_;
  std::int64_t last_ = 0;
};

struct beside {
  weft_test::postgres_server server{{.durable = true}};
  worked_store held{server, "held"};
  worked_store free{server, "free"};
  beside() {
    held.pass(1'000);
    held.hold();
    held.pass(many_passed);
    free.pass(1'000 + many_passed);
  }
};
std::unique_ptr<beside> both;

figure beside_a_transaction(const char* name, double share, target wanted) {
  return {
      .group = "jobs",
      .name = std::string("postgres: claim of 64 beside a transaction open for ") +
              in_thousands(many_passed) + " jobs, " + name,
      .unit = "ms",
      .ours = [share] { return both->held.claim_ms(share); },
      .baseline = "no such transaction",
      .peer = [share] { return both->free.claim_ms(share); },
      .target = wanted,
      .before =
          [] {
            if (!both) both = std::make_unique<beside>();
          },
      .store = "postgres",
  };
}
const add open_p50{beside_a_transaction("p50", 0.5, at_most_times(2))};
const add open_p99{beside_a_transaction("p99", 0.99, at_most_times(2))};
const add open_longest{[] {
  figure last = beside_a_transaction("longest of 200", longest, {});
  last.after = [] { both.reset(); };
  return last;
}()};

struct beside_nothing {
  weft_test::postgres_server server{{.durable = true}};
  worked_store store{server, "kept"};
};

struct sizes {
  weft_test::postgres_server server{{.durable = true}};
  worked_store large{server, "large"};
  worked_store small{server, "small"};
  sizes() {
    for (worked_store* const one : {&large, &small}) one->pass(few);
    large.add_done(many);
    large.add_waiting(many);
  }
};
std::unique_ptr<sizes> compared;

figure beside_many(const char* name, double share, target wanted) {
  return {
      .group = "jobs",
      .name = "postgres: claim of 64 beside " + in_thousands(many) + " done and as many waiting, " + name,
      .unit = "ms",
      .ours = [share] { return compared->large.claim_ms(share); },
      .baseline = "beside 10k done",
      .peer = [share] { return compared->small.claim_ms(share); },
      .target = wanted,
      .before =
          [] {
            if (!compared) compared = std::make_unique<sizes>();
          },
      .store = "postgres",
  };
}
const add many_p50{beside_many("p50", 0.5, at_most_times(1.2))};
const add many_p99{[] {
  figure last = beside_many("p99", 0.99, {});
  last.after = [] { compared.reset(); };
  return last;
}()};

std::unique_ptr<beside_nothing> kept;

const add cleaning{{
    .group = "jobs",
    .name = "postgres: cleaning, 1,000 at a time",
    .unit = "jobs/s",
    .ours = [] { return kept->store.cleaned_per_second(); },
    .before = [] { kept = std::make_unique<beside_nothing>(); },
    .after = [] { kept.reset(); },
    .store = "postgres",
}};

}  // namespace
