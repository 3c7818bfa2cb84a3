#include "jobs/queue_load.hpp"

#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/worker.hpp>

#include "support/measure.hpp"

namespace weft::bench {
namespace {

struct started {
  event now;
};

}  // namespace

closure<> usual_job() {
  return closure{named_closure<"bench.welcome">([](std::int64_t, std::string, std::string) {}),
                 std::int64_t{42}, std::string("somebody@example.org"),
                 std::string("a few words for the mail")};
}

double pushes_by(jobs::queue& into, std::size_t producers, std::size_t count) {
  return per_second(count, [&] {
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
      threads.emplace_back([&into, each = count / producers] {
        const auto job = usual_job();
        repeat(each, [&] { into.push(job); });
      });
    }
    for (auto& thread : threads) thread.join();
  });
}

double pushes_of_batches(jobs::queue& into, std::size_t calls, std::size_t each) {
  const std::vector<closure<>> jobs(each, usual_job());
  return per_second(calls * each, [&] { repeat(calls, [&] { into.push_many(jobs); }); });
}

double no_ops_per_second(jobs::queue& of, std::size_t count, bool durable_ends) {
  of.push_many(std::vector<closure<>>(count, closure{named_closure<"bench.no_op">([] {})}));
  services app;
  started not_used;  // but by the other closure of this program, and a worker names what it lacks
  app.provide(not_used);
  double rate = 0;
  run([&] {
    jobs::worker worker(of, app, {.durable_ends = durable_ends});
    rate = per_second(count, [&] { worker.run_due(); });
  });
  return rate;
}

double push_to_start_ms(jobs::queue& of, std::size_t rounds, double share) {
  services app;
  started seen;
  app.provide(seen);
  std::vector<double> samples;
  run([&] {
    jobs::worker worker(of, app);
    auto working = go([&] { worker.run(); });
    const closure wake{named_closure<"bench.wake">([](started& one) { one.now.set(); })};
    for (std::size_t round = 0; round < rounds; ++round) {
      seen.now.reset();
      of.push(wake);
      samples.push_back(1e3 * seconds([&] { seen.now.wait(); }));
    }
    worker.stop();
    working.join();
  });
  return percentile(std::move(samples), share);
}

}  // namespace weft::bench
