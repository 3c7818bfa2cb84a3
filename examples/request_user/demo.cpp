#include "demo.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include <weft/core/error.hpp>
#include <weft/fiber/barrier.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/log/sink.hpp>
#include <weft/wire/json.hpp>

#include "service.hpp"
#include "watcher.hpp"

namespace notes {
namespace {

constexpr std::int64_t users = 1000;
constexpr std::int64_t notes_each = 4;
constexpr std::uint64_t records_each = 2 * (notes_each + 1);  // one in the handler, one in the store

/// Both ends of each connection are in this process.
void allow_connections() {
  constexpr rlim_t needed = 2 * users + 100;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= needed) return;
  files.rlim_cur = needed;
  if (::setrlimit(RLIMIT_NOFILE, &files) == 0) return;
  throw weft::error(weft::errc::resource_exhausted,
                    "demo: it needs " + std::to_string(needed) + " descriptors; the hard limit is lower");
}

weft::http::response send(weft::http::client& client, std::string_view method, std::int64_t user,
                          const std::string& id, std::string_view body = {}) {
  const weft::scoped_value sent{weft::http::request_id, id};
  return client.send(method, "/notes", body, {.headers = {{"X-User", std::to_string(user)}}});
}

/// One user: writes notes, in step with all others, and reads them. How many answers were wrong?
int be_user(weft::http::client& client, weft::barrier& everybody, std::int64_t user) {
  int wrong = 0;
  std::vector<std::string> expected;
  for (std::int64_t i = 1; i <= notes_each; ++i) {
    expected.push_back(std::to_string(user) + "." + std::to_string(i));
    everybody.arrive_and_wait();
    if (send(client, "POST", user, expected.back(), expected.back()).status() != 204) ++wrong;
  }
  everybody.arrive_and_wait();
  const auto answer = send(client, "GET", user, std::to_string(user) + ".read");
  if (answer.status() != 200) return wrong + 1;
  const auto got = weft::wire::from_json<page>(answer.body());
  return wrong + (got.user == user && got.notes == expected ? 0 : 1);
}

/// All users. How many answers were wrong?
int be_all_users(weft::http::client& client) {
  weft::barrier everybody(users);
  int wrong = 0;
  weft::scope crowd;
  for (std::int64_t user = 1; user <= users; ++user) {
    crowd.go([&, user] { wrong += be_user(client, everybody, user); });
  }
  crowd.join();
  return wrong;
}

}  // namespace

int run_demo(const std::string& url) {
  allow_connections();
  const auto log = std::make_shared<watcher>();
  weft::log::add_sink(log);
  weft::http::client client(url, {.connections_max = users});
  const int wrong = be_all_users(client);
  weft::log::remove_sink(log);

  const auto records = log->found();
  std::printf("%lld users at once, %llu requests on %llu connections: %d answers wrong\n",
              static_cast<long long>(users), static_cast<unsigned long long>(client.statistics().requests),
              static_cast<unsigned long long>(client.statistics().connections), wrong);
  std::printf("%llu log records: %llu of another user\n", static_cast<unsigned long long>(records.records),
              static_cast<unsigned long long>(records.mixed));
  if (records.mixed != 0) std::printf("the first: %s", records.first_mixed.c_str());
  return wrong == 0 && records.mixed == 0 && records.records == users * records_each ? 0 : 1;
}

}  // namespace notes
