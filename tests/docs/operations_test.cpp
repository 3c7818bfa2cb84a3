// The examples of docs/operations.md.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/store_meters.hpp>
#include <weft/log/file_sink.hpp>
#include <weft/log/log.hpp>
#include <weft/service/admin.hpp>
#include <weft/service/exposition.hpp>
#include <weft/service/lifecycle.hpp>

#include "support/scratch_folder.hpp"

namespace {

using namespace std::chrono_literals;

/// What a GET of it gives, once somebody listens there.
std::string get(const std::string& url, const std::string& path) {
  for (const auto until = weft::steady_clock::now() + 30s;; weft::sleep_for(5ms)) {
    try {
      return weft::http::client(url).get(path).take_body();
    } catch (const weft::error& failed) {
      if (failed.code() != weft::errc::unavailable || weft::steady_clock::now() > until) throw;
    }
  }
}

TEST(operations_document, serves_until_it_is_told_to_stop) {
  const weft_test::scratch_folder folder;
  const std::string listen = "unix:" + (folder / "front");
  const std::string admin_listen = "unix:" + (folder / "admin");
  std::string greeting;
  std::string health;
  std::thread outside([&] {
    weft::run([&] {
      greeting = get(listen, "/");
      health = get(admin_listen, "/startupz");
    });
    ::kill(::getpid(), SIGTERM);
  });
  const auto main = [&] {
    // example: service
    const auto serve = [&](weft::ops::lifecycle& life) {
      weft::http::server server{{.listen = listen}};
      server.get("/", [] { return "hello"; });
      weft::ops::admin admin{{.listen = admin_listen}};
      life.administer(admin).serve(server);
      return life.run();
    };
    return weft::ops::run_service(serve);
    // end of example
  };
  EXPECT_EQ(main(), 0);
  outside.join();
  EXPECT_EQ(greeting, "hello");
  EXPECT_EQ(health, "started\n");
}

TEST(operations_document, shows_metrics_of_a_store_at_a_route) {
  const weft_test::scratch_folder folder;
  const auto keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key::generate("k1"));
  weft::run([&] {
    weft::jobs::queue queue("memory:", {.keys = keys});
    queue.push(weft::closure{weft::named_closure<"operations.nothing">([] {})});
    weft::http::server server{{.listen = "unix:" + (folder / "front")}};
    // example: metrics_route
    server.get("/metrics", weft::ops::metrics_handler());
    // end of example
    server.start();
    // example: store_meters
    weft::jobs::store_meters figures{queue};
    // end of example
    const std::string line = "\nweft_jobs_queue_depth{queue=\"default\",state=\"ready\"} 1\n";
    const auto until = weft::steady_clock::now() + 30s;
    std::string shown;
    do {
      shown = get("unix:" + (folder / "front"), "/metrics");
      weft::sleep_for(1ms);
    } while (shown.find(line) == std::string::npos && weft::steady_clock::now() < until);
    EXPECT_NE(shown.find(line), std::string::npos) << shown;
  });
}

TEST(operations_document, logs_to_a_file) {
  const weft_test::scratch_folder folder;
  const std::string path = folder / "app.log";
  // example: log_to_a_file
  weft::log::add_sink(std::make_shared<weft::log::file_sink>(
      weft::log::file_sink_options{.path = path, .format = weft::log::line_format::json}));
  // end of example
  weft::log::info("mail sent", {{"to", "a@b.c"}});
  EXPECT_TRUE(weft::log::flush(30s));
  weft::log::remove_all_sinks();
  std::ifstream in(path);
  const std::string line{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(line.find(R"("level":"info","msg":"mail sent","to":"a@b.c",)"), std::string::npos) << line;
}

}  // namespace
