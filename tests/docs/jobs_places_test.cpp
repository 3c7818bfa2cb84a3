// What docs/jobs.md shows of worker processes; built into test_jobs_places, whose main() is weft::main.
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/runner.hpp>

namespace {

namespace jobs = weft::jobs;
namespace workers = weft::workers;
using namespace std::chrono_literals;
using weft::closure;
using weft::named_closure;
using weft::placed_closure;
using weft::run_place;

std::string make_thumbnail(const std::string& file) { return file + ".small"; }

TEST(docs_jobs_places, a_job_runs_in_a_worker_process) {
  jobs::queue queue{"memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k1"))}};
  weft::services app;
  weft::run(
      [&] {
        // example: jobs_places
        const auto thumbnail = named_closure<"image.thumbnail">([](jobs::control& job, std::string file) {
          job.progress(1, 2, "decoded");
          return make_thumbnail(file);  // may crash: its process dies alone
        });
        const auto id =
            queue.push(closure{placed_closure<run_place::workers>(thumbnail), "cat.png"}, {.timeout = 30s});

        const workers::client processes({.max_workers = 4, .timeout = std::nullopt});
        workers::worker_runner in_processes(processes);
        jobs::worker worker(queue, app, {.concurrency = 4, .workers = &in_processes});
        // end of example
        EXPECT_EQ(worker.run_due(), 1U);
        EXPECT_EQ(queue.result<std::string>(id), "cat.png.small");
      },
      {.stack_bytes = 256 * 1024});
}

}  // namespace
