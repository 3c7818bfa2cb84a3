#include <weft/http/health.hpp>

#include <cstddef>
#include <exception>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/server.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::http {

namespace {

constexpr route_options always{.is_always_admitted = true};

response answer(bool well, std::string lines) {
  response made(well ? 200 : 503, lines);
  made.header("Cache-Control", "no-store");
  return made;
}

}  // namespace

health& health::add(std::string name, unique_function<bool()> work, std::chrono::milliseconds limit) {
  checks_.push_back({std::move(name), std::move(work), limit});
  return *this;
}

bool health::passes(check& one) {
  try {
    if (with_timeout(one.limit, [&one] { return one.work(); })) return true;
    log::warn("http: a health check failed", {{"check", one.name}});
  } catch (const std::exception& failed) {
    log::warn("http: a health check failed", {{"check", one.name}, {"why", failed.what()}});
  }
  return false;
}

response health::look() {
  std::vector<char> passed(checks_.size(), 0);
  scope all;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    all.go([this, &passed, i] { passed[i] = passes(checks_[i]) ? 1 : 0; });
  }
  all.join();
  bool ready = is_ready_.load(std::memory_order_relaxed);
  std::string lines;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    ready = ready && passed[i] != 0;
    lines.append(checks_[i].name).append(passed[i] != 0 ? ": ok\n" : ": failed\n");
  }
  return answer(ready, (ready ? "ready\n" : "not ready\n") + lines);
}

void health::serve_on(server& on) {
  on.get(
      "/livez", [] { return answer(true, "alive\n"); }, always);
  on.get(
      "/readyz", [this, &on] { return on.is_stopping() ? answer(false, "stopping\n") : look(); }, always);
}

}  // namespace weft::inline v1::http
