// A service as others run it: a route that pushes jobs, a worker, metrics and health beside it, and an
// orderly end at SIGTERM. docs/operations.md tells of all that its operators have.
//
//     service FOLDER [ADDRESS [ADMIN]]   keeps its jobs and its key below FOLDER
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <weft/closure/services.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/store_meters.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/log.hpp>
#include <weft/metrics/registry.hpp>
#include <weft/service/admin.hpp>
#include <weft/service/lifecycle.hpp>
#include <weft/wire/key_ring.hpp>

namespace {

/// What the program counts itself, beside what weft does.
const weft::metrics::counter letters =
    weft::metrics::default_registry().get_counter({.name = "shop_letters_total", .help = "Letters sent"});

weft::closure<> letter_to(std::string name) {
  return weft::closure{weft::named_closure<"shop.letter">([](std::string to) {
                         weft::log::info("a letter is sent", {{"to", to}});
                         letters.add();
                       }),
                       std::move(name)};
}

std::shared_ptr<const weft::wire::key_ring> keys_in(const std::string& file) {
  if (!std::filesystem::exists(file)) weft::wire::key_ring(weft::wire::key::generate("shop")).save(file);
  return std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(file));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: service FOLDER [ADDRESS [ADMIN]]\n", stderr), 2;
  const std::string folder = argv[1];
  const std::string listen = argc > 2 ? argv[2] : "127.0.0.1:8080";
  const std::string admin_listen = argc > 3 ? argv[3] : "127.0.0.1:9464";

  return weft::ops::run_service([&](weft::ops::lifecycle& life) {
    weft::jobs::queue queue("sqlite:" + folder + "/jobs.db", {.keys = keys_in(folder + "/keys")});
    weft::services app;
    weft::jobs::worker worker(queue, app, {.stop_grace = std::chrono::seconds(10)});
    const weft::jobs::store_meters figures(queue);

    weft::http::server server({.listen = listen});
    server.post("/letters/{name}", [&](weft::http::path_param<"name"> name) {
      return "job " + to_string(queue.push(letter_to(*name))) + "\n";
    });

    weft::ops::admin admin({.listen = admin_listen});
    admin.health().add("database", [&] { return queue.stats(), true; });
    life.administer(admin).serve(server).work(worker);
    return life.run();
  });
}
