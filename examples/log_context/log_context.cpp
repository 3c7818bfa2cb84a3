// A value of the context that is marked for logs is in every record of the work that belongs to it: on
// fibers, on other threads, and in a job that another process may run tomorrow. Nobody passes it on.
#include <cstdio>
#include <memory>
#include <string>

#include <weft/context/key.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/format.hpp>
#include <weft/log/log.hpp>

namespace {

namespace jobs = weft::jobs;
namespace log = weft::log;

constexpr weft::key_spec user_spec{.name = "app.user", .wire = weft::wire_policy::job, .log = true};
const weft::key<std::string> user{user_spec};

const weft::closure<> mail{weft::named_closure<"log_context.mail">([](weft::event& done) {
  log::info("mailed by a job");
  done.set();
})};

void serve(jobs::queue& queue, weft::thread_pool& pool, const std::string& who) {
  const weft::scoped_value from_here_on(user, who);
  log::info("ordered");
  pool.submit([] { log::info("priced on a thread"); }).get();
  queue.push(mail);
}

int run() {
  weft::event done;
  weft::services app;
  app.provide(done);
  weft::thread_pool pool({.threads = 2});
  jobs::queue queue("memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  weft::go([&] { serve(queue, pool, "Ada"); }).join();

  jobs::worker worker(queue, app, {});  // knows nothing of Ada
  auto working = weft::go([&] { worker.run(); });
  done.wait();
  worker.stop();
  working.join();
  return 0;
}

}  // namespace

int main() {
  log::set_default_format(log::line_format::logfmt);
  return weft::run(run);
}
