// A crawler that is polite: it asks many hosts at once, but each one only every 20 ms, and no more than four
// pages at a time in all.
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>

namespace {

using namespace std::chrono_literals;
namespace http = weft::http;
constexpr auto pause = 20ms;

/// One host, as the crawler sees it.
class host {
 public:
  explicit host(const std::string& url) : client_(url) {}

  std::string get(const std::string& path) {
    wait_for_turn();
    return client_.get(path).body();
  }
  /// When it was asked.
  const std::vector<weft::steady_time>& asked() const { return asked_; }

 private:
  void wait_for_turn() {
    const std::lock_guard in_order(turn_);  // may be held across a wait; who comes first goes first
    if (!asked_.empty()) weft::sleep_until(asked_.back() + pause);
    asked_.push_back(weft::steady_clock::now());
  }

  http::client client_;
  weft::mutex turn_;
  std::vector<weft::steady_time> asked_;
};

int crawl() {
  std::vector<std::unique_ptr<http::server>> sites;
  std::vector<std::unique_ptr<host>> hosts;
  for (int i = 0; i < 3; ++i) {
    sites.push_back(std::make_unique<http::server>(http::server_options{.listen = "127.0.0.1:0"}));
    sites.back()->get("/{page}", [](http::request& in) { return "page " + in.param("page"); });
    sites.back()->start();
    hosts.push_back(std::make_unique<host>(sites.back()->url()));
  }
  std::vector<std::size_t> pages(12);
  for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = i;
  const auto found = weft::map_limited(
      pages, 4, [&](std::size_t page) { return hosts[page % 3]->get('/' + std::to_string(page)); });
  int too_fast = 0;
  for (const auto& one : hosts) {
    for (std::size_t i = 1; i < one->asked().size(); ++i)
      too_fast += one->asked()[i] - one->asked()[i - 1] < pause ? 1 : 0;
  }
  std::printf("%d pages of 3 hosts, %s host was asked faster than every 20 ms\n",
              static_cast<int>(found.size()), too_fast == 0 ? "no" : "a");
  return too_fast;
}

}  // namespace

int main() { return weft::run(crawl); }
