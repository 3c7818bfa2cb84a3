// The examples of docs/coming-from-go.md and docs/coming-from-swoole.md.

#include <gtest/gtest.h>

#include <any>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/latch.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>

namespace {

using namespace std::chrono_literals;

// example: exit_at_depth
void deep() { weft::exit(3); }  // throws from here; destructors run
void deeper() { deep(); }

int exits_at_depth() {
  return weft::run([] {
    weft::go([] { deeper(); });
    weft::sleep_for(1h);  // cancelled
  });
}
// end of example

TEST(coming_from, exit_at_depth) { EXPECT_EQ(exits_at_depth(), 3); }

TEST(coming_from, exit_with_a_status) {
  // example: exit_with_a_status
  const int status = weft::run([] { weft::exit(std::string("no configuration")); });
  EXPECT_EQ(status, 0);  // not an int: run gives 0, and the status itself is in last_exit()
  EXPECT_EQ(std::any_cast<std::string>(weft::last_exit()), "no configuration");
  // end of example
}

TEST(coming_from, exit_caught) {
  weft::run([] {
    // example: exit_caught
    try {
      weft::exit(7);
    } catch (const weft::exit_exception& stop) {  // not a std::exception: caught by name only
      EXPECT_EQ(stop.status_code(), 7);
      EXPECT_TRUE(stop.in_fiber());
      EXPECT_FALSE(stop.in_server());
    }
    // end of example
  });
}

TEST(coming_from, catch_wrong) {
  int seen = 0;
  bool caught = false;
  weft::run(
      [&] {
        // example: catch_wrong
        try {
          weft::go([] { throw std::runtime_error("lost?"); });  // wrong: nobody joins it
        } catch (const std::runtime_error&) {
          caught = true;  // never: an exception does not cross fibers by itself
        }
        // end of example
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++seen; }});
  EXPECT_FALSE(caught);
  EXPECT_EQ(seen, 1);
}

TEST(coming_from, catch_right) {
  bool caught = false;
  weft::run([&] {
    // example: catch_right
    auto child = weft::go([] { throw std::runtime_error("found"); });
    try {
      child.join();  // right: the joiner gets it
    } catch (const std::runtime_error&) {
      caught = true;
    }
    // end of example
  });
  EXPECT_TRUE(caught);
}

TEST(coming_from, go_errgroup) {
  weft::run([] {
    // example: go_errgroup
    weft::scope group;
    group.go([] { weft::sleep_for(1h); });
    group.go([] { throw std::runtime_error("first"); });
    EXPECT_THROW(group.join(), std::runtime_error);  // the other one was cancelled and has ended
    // end of example
  });
}

TEST(coming_from, go_channel) {
  weft::run([] {
    // example: go_channel
    weft::channel<int> results(0);  // unbuffered
    weft::scope producers;
    for (int n = 1; n <= 3; ++n) producers.go([&results, n] { results.push(n); });
    int sum = 0;
    for (int n = 0; n < 3; ++n) sum += *results.pop();
    producers.join();
    EXPECT_EQ(sum, 6);
    // end of example
  });
}

// example: race_global
std::string current_user;  // wrong: all requests share it

void serve_global(weft::http::server& server, weft::latch& both_wait) {
  server.get("/global/{name}", [&](weft::http::request& in) {
    current_user = in.param("name");
    both_wait.arrive_and_wait();  // a query, say: the other request comes in between
    return current_user;
  });
}
// end of example

// example: race_own
weft::fiber_local<std::string> own_user;  // what Swoole has in Coroutine::getContext()
constexpr weft::key_spec user_spec{.name = "swoole.user", .log = true};
const weft::key<std::string> user{user_spec};

void serve_own(weft::http::server& server, weft::latch& local_wait, weft::latch& key_wait) {
  server.get("/local/{name}", [&](weft::http::request& in) {
    *own_user = in.param("name");
    local_wait.arrive_and_wait();
    return *own_user;
  });
  server.get("/key/{name}", [&](weft::http::request& in) {
    const weft::scoped_value here{user, std::string(in.param("name"))};
    key_wait.arrive_and_wait();
    return weft::go([] { return user.require(); }).join();  // follows into the child
  });
}
// end of example

/// Two requests at once, for Ada and for Bob.
std::pair<std::string, std::string> ask_for_two(const std::string& url, const std::string& path) {
  const auto ask = [&](const char* name) {
    return std::string(weft::http::client(url).get(path + name).body());
  };
  auto ada = weft::go([&] { return ask("Ada"); });
  auto bob = weft::go([&] { return ask("Bob"); });
  std::string first = ada.join();
  return {std::move(first), bob.join()};
}

TEST(coming_from, two_requests_race_for_a_global_and_not_for_what_is_their_own) {
  weft::run([] {
    weft::latch global_wait(2);
    weft::latch local_wait(2);
    weft::latch key_wait(2);
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    serve_global(server, global_wait);
    serve_own(server, local_wait, key_wait);
    server.start();
    const auto [one, other] = ask_for_two(server.url(), "/global/");
    EXPECT_EQ(one, other) << "one of them was served as the other";
    const std::pair<std::string, std::string> own("Ada", "Bob");
    EXPECT_EQ(ask_for_two(server.url(), "/local/"), own);
    EXPECT_EQ(ask_for_two(server.url(), "/key/"), own);
    server.stop();
  });
}

}  // namespace
