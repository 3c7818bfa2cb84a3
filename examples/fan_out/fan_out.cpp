// Asks many servers at once, with one deadline for all. The first error cancels the other requests, and their
// connections are closed: nobody works for an answer that is not wanted any more.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>

using namespace std::chrono_literals;
namespace http = weft::http;

namespace {

/// The cheapest offer of all shops.
int best_price(const std::vector<std::unique_ptr<http::client>>& shops, const std::string& thing) {
  return weft::with_timeout(10s, [&] {
    return weft::with_scope([&](weft::scope& all) {
      std::vector<weft::child<int>> offers;
      for (const auto& shop : shops) {
        offers.push_back(all.go([&] {
          const http::response got = shop->get("/price/" + thing);
          if (got.status() != 200) throw weft::error(weft::errc::not_found, "a shop says: " + got.body());
          return std::stoi(got.body());
        }));
      }
      all.join();
      int best = std::numeric_limits<int>::max();
      for (auto& offer : offers) best = std::min(best, offer.join());
      return best;
    });
  });
}

/// A shop that has tea, and thinks for long about coffee, where it has it.
void open_shop(http::server& shop, int price, bool has_coffee) {
  shop.get("/price/tea", [price] { return std::to_string(price); });
  shop.get("/price/coffee", [has_coffee] {
    if (!has_coffee) throw http::status_error(404, "no coffee");
    weft::sleep_for(1h);
  });
  shop.start();
}

int run() {
  std::vector<std::unique_ptr<http::server>> servers;
  std::vector<std::unique_ptr<http::client>> shops;
  for (int i = 0; i < 20; ++i) {
    servers.push_back(std::make_unique<http::server>(
        http::server_options{.listen = "127.0.0.1:0", .handler_timeout = 0ms}));
    open_shop(*servers.back(), 100 - i, i != 7);
    shops.push_back(std::make_unique<http::client>(servers.back()->url()));
  }
  std::printf("tea: %d\n", best_price(shops, "tea"));
  try {
    best_price(shops, "coffee");  // nineteen think for an hour
    return 1;
  } catch (const weft::error& first) {
    std::printf("coffee: %s", first.what());
  }
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
