// Many changes, one job: a push with a key that a waiting job has gives that one's id, and makes no other.
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include <weft/closure/services.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;

constexpr auto build = weft::named_closure<"debounce.build">(
    [](std::string page) { std::printf("the %s page is built\n", page.c_str()); });

/// Whoever changes a page says so. Until its build has begun, further changes belong to the same one.
jobs::job_id changed(jobs::queue& queue, const std::string& page) {
  return queue.push(
      weft::closure{build, page},
      {.delay = 50ms,
       .unique = jobs::unique_options{.key = "build " + page, .until = jobs::unique_until::claimed}});
}

int run() {
  jobs::queue queue("memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  std::set<jobs::job_id> all;
  for (int i = 0; i < 20; ++i) all.insert(changed(queue, "cat"));
  for (int i = 0; i < 3; ++i) all.insert(changed(queue, "dog"));
  std::puts("20 changes of the cat page, 3 of the dog page");

  weft::services app;
  jobs::worker worker(queue, app, {.concurrency = 1});
  auto working = weft::go([&] { worker.run(); });
  for (const jobs::job_id id : all) queue.wait<void>(id, weft::deadline_after(30s));
  worker.stop();
  working.join();
  std::printf("%d jobs\n", static_cast<int>(all.size()));
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
