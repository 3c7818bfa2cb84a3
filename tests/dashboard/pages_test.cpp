#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/closure/services.hpp>
#include <weft/context/context.hpp>
#include <weft/dashboard/site.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/process/exec.hpp>
#include <weft/trace/propagation.hpp>

#include "jobs/test_database.hpp"
#include "support/programs.hpp"

// The pages in Chromium: browser.mjs visits all of them, does what people do, and says what it found wrong.
// The jobs that it sees are made here, some of them by strangers: their texts have to stay texts.

namespace weft::dashboard {
namespace {

using namespace std::chrono_literals;

constexpr const char* chromium = "/usr/bin/chromium";
constexpr const char* operator_token = "operator-token-of-tests";
constexpr const char* viewer_token = "viewer-token-of-tests";

const key<std::string> customer_key{{.name = "pages.customer", .wire = wire_policy::job}};
const key<std::string> token_key{{.name = "pages.token", .wire = wire_policy::job, .redact = true}};

/// Holds the job that is to be seen running.
struct gate {
  event is_there;
  event may_end;
};

const std::vector<std::string> hostile{
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "\xe2\x80\xaetxt.exe",  // right to left
    "\x1b[2J\x1b]0;title\x07",
    "=HYPERLINK(\"http://evil.example\")",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "__proto__",
    "a\r\nSet-Cookie: x=y",
};

void deliver(jobs::control& job, const std::string& to, int parts) {
  log::info("connected", {{"host", "mx1.example.org"}, {"tls", true}});
  for (int i = 0; i < parts; ++i) {
    const log::timer sends(i == 0 ? "greet" : "send part " + std::to_string(i));
    log::debug("part sent", {{"part", i}, {"bytes", 1200 * i}});
    job.progress(i + 1, parts, to);
  }
  log::warn("queued by the server", {{"id", "4F7A2"}});
}

[[noreturn]] void fail(const std::string& what) {
  try {
    throw error(errc::unavailable, "connect to 10.0.0.7: connection refused");
  } catch (const error&) {
    std::throw_with_nested(std::runtime_error(what));
  }
}

/// A job that was pushed in a request, with steps.
void push_traced(jobs::queue& queue) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  trace::from_headers(headers).run([&] {
    const scoped_value customer(customer_key, std::string("<img src=x onerror=alert(1)>"));
    const scoped_value token(token_key, std::string("s3cr3t"));
    queue.push(closure{named_closure<"order.ship">([](jobs::control& job, int order) {
                         job.checkpoint("charge <b>", [&] { return "receipt " + std::to_string(order); });
                         throw std::runtime_error("no truck");
                       }),
                       17},
               {.max_attempts = 1, .timeout = 90s});
  });
}

/// Jobs with errors that are alike, but not the same, and one with many steps.
void push_alike(jobs::queue& queue) {
  const auto print = named_closure<"printer.print">([](std::string why) { throw std::runtime_error(why); });
  for (const char* const why : {"tray 1 jams", "tray 2 jams", "tray 3 jams and smokes"})
    queue.push(closure{print, std::string(why)}, {.max_attempts = 1});
  queue.push(closure{named_closure<"album.bind">([](jobs::control& job, int pages) {
                       for (int i = 0; i < pages; ++i)
                         job.checkpoint("page " + std::to_string(1000 + i), [&] { return i; });
                     }),
                     130});
}

void add_jobs(jobs::queue& queue) {
  const auto mail = named_closure<"mail.deliver">(
      [](jobs::control& job, std::string to, int parts) { deliver(job, to, parts); });
  const auto bill = named_closure<"bill.charge">([](int customer, double amount) {
    log::info("charging", {{"customer", customer}, {"amount", amount}});
    fail("charge customer " + std::to_string(customer) + ": the bank does not answer");
  });
  const auto say = named_closure<"stranger.says">([](std::string text) { throw std::runtime_error(text); });
  const auto render = named_closure<"image.render">([](std::string, int) {});
  for (int i = 0; i < 30; ++i) {
    queue.push(closure{mail, "user" + std::to_string(i) + "@example.org", 1 + i % 4},
               {.tags = {"customer:" + std::to_string(100 + i % 7)}});
  }
  for (int i = 0; i < 6; ++i)
    queue.push(closure{bill, 4711 + i, 12.5 * i}, {.queue = "billing", .max_attempts = 1 + i % 2});
  for (const auto& text : hostile) {
    queue.push(
        closure{say, text},
        {.queue = text.size() > 20 ? "default" : text, .max_attempts = 1, .tags = {text.substr(0, 60)}});
  }
  for (int i = 0; i < 3; ++i) {
    queue.push(closure{render, "page.ps", i},
               {.queue = "images", .limit = jobs::limit_options{"printer <1>", 1, {30, 1min}}});
  }
  queue.push(closure{say, std::string(200'000, 'x')}, {.max_attempts = 1});
  push_traced(queue);
  push_alike(queue);
  const auto first = queue.push(closure{render, "cat.png", 1}, {.queue = "images"});
  for (int i = 2; i < 9; ++i)
    queue.push(closure{render, "cat.png", i}, {.queue = "images", .tags = {"gallery"}});
  queue.push(closure{render, "album.pdf", 0}, {.queue = "images", .after = {first}});
  queue.push(closure{render, "later.png", 1}, {.delay = 3h, .queue = "images"});
  queue.pause("images");
  queue.schedule("nightly report", jobs::cron("30 2 * * mon-fri", jobs::time_zone("Europe/Berlin")),
                 closure{render, "report.pdf", 2});
  queue.schedule("<b>hostile</b>", jobs::cron("0 0 1 1 *"), closure{render, "report.pdf", 3});
}

[[noreturn]] void push_for_ever(jobs::queue& queue) {
  const auto mail =
      named_closure<"mail.remind">([](int part) { sleep_for(std::chrono::milliseconds(part % 7)); });
  for (int i = 0;; ++i) {
    sleep_for(100ms);
    for (int more = 0; more < 3 + i % 40 / 10; ++more) queue.push(closure{mail, i + more});
  }
}

/// The folder with the npm packages that the test needs; empty where there is none.
std::string node_modules() {
  const char* const made = std::getenv("WEFT_NODE_MODULES");
  const std::string folder = made == nullptr ? WEFT_TEST_NODE_MODULES : made;
  return ::access((folder + "/playwright-core/package.json").c_str(), R_OK) == 0 ? folder : std::string();
}

TEST(dashboard_pages, chromium_sees_every_view_and_does_what_people_do) {
  WEFT_NEED_PROGRAM(chromium);
  const std::string modules = node_modules();
  if (modules.empty()) {
    if (std::getenv("CI") != nullptr) FAIL() << "npm has not fetched playwright-core";
    GTEST_SKIP() << "npm has not fetched playwright-core";
  }
  const auto database = jobs::test_database::make();
  const std::string url = database->url();
  run_options roomy;
  roomy.stack_bytes = 256 * 1024;
  run(
      [&] {
        const auto keys = std::make_shared<const wire::key_ring>(wire::key::generate("k1"));
        const auto store = jobs::open_store(url);
        jobs::queue queue(store, {.keys = keys});
        add_jobs(queue);
        gate held;
        services app;
        app.provide(held);
        queue.push(closure{named_closure<"video.encode">([](jobs::control& job, gate& at, std::string) {
                             job.progress(42, 100, "encoding <b>scene 7</b>");
                             at.is_there.set();
                             at.may_end.wait();
                           }),
                           std::string("holiday.mp4")},
                   {.queue = "video"});
        jobs::worker worker(queue, app,
                            {.queues = {"default", "billing", "video", hostile[3], hostile[10]},
                             .concurrency = 4,
                             .retry = {.first = 10min},
                             .pass_on_logs = false});
        auto works = go([&] { worker.run(); });
        held.is_there.wait();
        auto comes = go([&] { push_for_ever(queue); });  // so that there is something to plot
        site shown(store, {.operator_token = operator_token,
                           .viewer_token = viewer_token,
                           .keys = keys,
                           .trace_url = "https://traces.example.org/{trace_id}?span={span_id}",
                           .worker_url = "http://admin.example.org:9464/{host}/fibers?of={pid}",
                           .interval = 200ms});
        http::server server({.listen = "127.0.0.1:0"});
        shown.mount(server.routes(), "/jobs");
        server.start();
        const char* const pictures = std::getenv("WEFT_SCREENSHOTS");
        const auto ended = exec({"node", WEFT_TEST_BROWSER_SCRIPT, server.url() + "/jobs/", operator_token,
                                 viewer_token, modules, pictures == nullptr ? "" : pictures},
                                {.timeout = 500s});
        EXPECT_EQ(ended.status, process::exit_status::exited(0)) << ended.out << ended.err;
        EXPECT_NE(ended.out.find("all is well"), std::string::npos) << ended.out << ended.err;
        comes.cancel();
        EXPECT_THROW(comes.join(), cancelled);
        held.may_end.set();
        worker.stop();
        works.join();
        server.stop(0ms);
      },
      roomy);
}

}  // namespace
}  // namespace weft::dashboard
