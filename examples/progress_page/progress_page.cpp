// A job says how far it is, and a page shows it while it runs: GET /report begins one, and
// /report/{id}/events are server-sent events, which a browser reads with EventSource. Here a client of weft
// reads them.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/event_source.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

using namespace std::chrono_literals;
namespace http = weft::http;
namespace jobs = weft::jobs;

constexpr auto report = weft::named_closure<"progress_page.report">([](jobs::control& job) {
  const char* const steps[]{"sorted", "counted", "printed"};
  for (int done = 1; done <= 3; ++done) {
    weft::sleep_for(300ms);  // work
    job.progress(done, 3, steps[done - 1]);
  }
  weft::sleep_for(300ms);
});

void offer(http::server& server, jobs::queue& queue) {
  server.get("/report", [&] { return to_string(queue.push(weft::closure{report})); });
  server.get("/report/{id}/events",
             [&](http::request& in, http::response& out) {
               const auto id = jobs::job_id_from_string(in.param("id"));
               if (!id) throw http::status_error(404, "no such report");
               http::event_stream events(in, out);
               for (double told = 0; events.wait_for(20ms);) {
                 const auto job = queue.show(*id);
                 if (!job || (job->state != jobs::job_state::ready && job->state != jobs::job_state::running))
                   break;
                 if (!job->progress || job->progress->done == told) continue;
                 told = job->progress->done;
                 events.send(std::to_string(static_cast<int>(told)) + " of 3: " + job->progress->note);
               }
               events.send({.data = "done", .name = "end"});
             },
             {.handler_timeout = 0ms});
}

int run() {
  weft::services app;
  jobs::queue queue("memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  jobs::worker worker(queue, app, {});
  auto working = weft::go([&] { worker.run(); });
  http::server server({.listen = "127.0.0.1:0"});
  offer(server, queue);
  server.start();

  http::client browser(server.url());
  const auto id = browser.get("/report").body();
  http::event_source events(browser, "/report/" + id + "/events");
  for (auto one = events.next(); one; one = events.next()) {
    std::printf("%s\n", one->data.c_str());
    if (one->name == "end") break;
  }
  server.stop();
  worker.stop();
  working.join();
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
