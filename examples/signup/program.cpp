#include "program.hpp"

#include <filesystem>

#include <weft/context/cancellation.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/client.hpp>

#include "service.hpp"

namespace signup {
namespace {

constexpr std::size_t body_bytes_max = 64 * 1024;

/// The key that signs the jobs: made at the first start, kept beside the database.
std::shared_ptr<const weft::wire::key_ring> load_keys(const std::filesystem::path& folder) {
  const std::string path = folder / "keys";
  if (!std::filesystem::exists(path)) {
    weft::wire::key_ring(weft::wire::key::generate("signup-1")).save(path);
  }
  return std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(path));
}

weft::jobs::queue open_queue(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  return {"sqlite:" + (folder / "signup.db").string(), {.name = "mail", .keys = load_keys(folder)}};
}

weft::jobs::worker_options worker_options(const settings& from) {
  return {.concurrency = 2 * from.mailers,
          .retry = {.first = std::chrono::milliseconds(200)},
          .pass_on_logs = from.serve};  // the demo reads the log of an attempt where it is kept
}

}  // namespace

program::program(const settings& from, weft::services& app)
    : queue_(open_queue(from.folder)),
      users_(queue_),
      worker_(queue_, app, worker_options(from)),
      server_({.listen = from.listen, .limits = {.body_bytes_max = body_bytes_max}}) {
  // Made now, so that their processes are there when the first request comes.
  for (const char* pool : {"hashers", "mailers"}) app.get<weft::workers::client>(pool);
  add_routes(server_, app, users_);
  server_.start();
  working_ = weft::go([this] { worker_.run(); }, {.name = "queue worker"});
}

program::~program() {
  server_.stop();
  worker_.stop();
  weft::shield([this] { working_.join(); });
}

std::size_t program::unfinished_jobs() {
  std::int64_t unfinished = 0;
  for (const auto& one : queue_.stats()) unfinished += one.scheduled + one.ready + one.running;
  return static_cast<std::size_t>(unfinished);
}

}  // namespace signup
