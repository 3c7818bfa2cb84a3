// What a claim costs where many jobs wait and many more have ended, against a store with few of both.

#include <memory>
#include <string>
#include <vector>

#include <sqlite3.h>

#include <weft/jobs/store.hpp>

#include "jobs/raw_sqlite.hpp"
#include "jobs/sizes.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using weft::jobs::claim_request;
using weft::jobs::job_id;
using weft::jobs::moment;
using weft::jobs::new_job;
using weft::jobs::worker_id;

// Filling the store takes minutes and some 4 GB: WEFT_BENCH_READY and WEFT_BENCH_DONE, numbers of thousands,
// say other sizes.
const std::size_t many_ready = thousands("WEFT_BENCH_READY", 1'000);
const std::size_t many_done = thousands("WEFT_BENCH_DONE", 10'000);
constexpr std::size_t few_ready = 10'000;
constexpr std::size_t few_done = 1'000;

constexpr std::size_t claims = 100;
constexpr std::size_t jobs_a_claim = 10;

class filled_store {
 public:
  filled_store(std::size_t ready, std::size_t done) : kept_(weft::jobs::open_store("sqlite:" + path_)) {
    kept_->add_worker({.id = worker_id{1}, .host = "bench", .pid = 1, .build = "bench"});
    push(done + 1, ready);
    add_done(done);
  }

  /// Microseconds of a claim of ten.
  double claim_us() {
    claim_request request;
    request.owner = worker_id{1};
    request.queues = {"bench"};
    request.count = jobs_a_claim;
    request.now = moment(std::chrono::seconds(1));
    return ns_per(claims,
                  [&] {
                    repeat(claims, [&] {
                      if (kept_->claim(request).jobs.size() != jobs_a_claim)
                        throw unavailable("the jobs ran out");
                    });
                  }) /
           1e3;
  }

 private:
  void push(std::size_t first, std::size_t count) {
    std::vector<new_job> batch;
    for (std::size_t id = first; id < first + count; ++id) {
      new_job one;
      one.id = job_id{static_cast<std::int64_t>(id)};
      one.queue = "bench";
      one.handler = "bench.no_op";
      one.envelope.assign(100, 'x');
      batch.push_back(std::move(one));
      if (batch.size() < 1'000 && id + 1 < first + count) continue;
      kept_->push(batch);
      batch.clear();
    }
  }

  // As if that many had run: too many to run them here.
  void add_done(std::size_t count) const {
    sqlite3* handle = nullptr;
    const std::string number = std::to_string(count);
    const std::string rows = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < " +
                             number + ") INSERT INTO ";
    const std::string sql = "PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE;" + rows +
                            "weft_job (id, queue, handler, priority, created, envelope) SELECT id, 1, 1, 0, "
                            "id, zeroblob(100) FROM n;" +
                            rows +
                            "weft_done (id, queue, finished, attempts, backoffs, crashes, fence) SELECT id, "
                            "1, id, 1, 0, 0, 1 FROM n;"
                            "INSERT INTO weft_count (queue, state, handler, jobs) VALUES (1, 3, 0, " +
                            number + "); COMMIT; PRAGMA wal_checkpoint(TRUNCATE)";
    if (sqlite3_open(path_.c_str(), &handle) != SQLITE_OK ||
        sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      const std::string reason = sqlite3_errmsg(handle);
      sqlite3_close(handle);
      throw unavailable("the store cannot be filled: " + reason);
    }
    sqlite3_close(handle);
  }

  work_folder folder_;
  std::string path_ = folder_.path() + "/jobs.db";
  std::shared_ptr<weft::jobs::store> kept_;
};

std::unique_ptr<filled_store> large;
std::unique_ptr<filled_store> small;

const add claim_of_many{{
    .group = "jobs",
    .name =
        "claim of 10, of " + in_thousands(many_ready) + " ready beside " + in_thousands(many_done) + " done",
    .unit = "us",
    .ours = [] { return large->claim_us(); },
    .baseline = "of 10k ready beside 1k done",
    .peer = [] { return small->claim_us(); },
    .target = at_most_times(1.2),
    .before =
        [] {
          large = std::make_unique<filled_store>(many_ready, many_done);
          small = std::make_unique<filled_store>(few_ready, few_done);
        },
    .after =
        [] {
          large.reset();
          small.reset();
        },
    .store = "sqlite",
}};

}  // namespace
