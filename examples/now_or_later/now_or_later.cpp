// A closure with its arguments is a value: it runs here and now where that is possible, and becomes a job
// that survives this process where it is not.
#include <cstdio>
#include <memory>
#include <string>

#include <weft/closure/services.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;

/// It is busy when somebody writes to Alan for the first time.
struct mail_server {
  int busy_for_alan = 1;
  weft::event sent_later;
};

weft::closure<> mail(std::string to) {
  return {weft::named_closure<"now_or_later.mail">([](mail_server& by, jobs::control& job, std::string who) {
            if (who == "Alan" && by.busy_for_alan-- > 0) return job.delay(10ms);
            if (job.in_line()) return;
            std::printf("later, in attempt %d: mail to %s\n", job.attempt(), who.c_str());
            by.sent_later.set();
          }),
          std::move(to)};
}

int run() {
  mail_server server;
  weft::services app;
  app.provide(server);
  jobs::queue queue("memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  for (const char* const who : {"Ada", "Alan"}) {
    const auto ended = queue.run_or_push(mail(who), app);
    std::printf("%s: %s\n", who, ended.pushed ? "later" : "sent");
  }
  jobs::worker worker(queue, app, {});
  auto working = weft::go([&] { worker.run(); });
  server.sent_later.wait();
  worker.stop();
  working.join();
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
