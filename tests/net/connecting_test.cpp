#include "net/connecting.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

detail::address address_of(const std::string& text) {
  return detail::resolve(endpoint::parse(text), false).front();
}

/// Addresses that take no connection and refuse none: their queue is full, so that a SYN is dropped.
class silent_listener {
 public:
  silent_listener() : listening_(endpoint::parse("127.0.0.1:0"), {.backlog = 0}) {
    const detail::address at = address();
    for (int n = 0; n < 4; ++n) {
      clients_.push_back(detail::make_socket(AF_INET, "connect"));
      ::connect(clients_.back().get(), at.get(), at.bytes);
    }
  }
  detail::address address() const { return address_of(listening_.address().text()); }

 private:
  listener listening_;
  std::vector<unique_fd> clients_;
};

detail::address refusing() {
  listener gone(endpoint::parse("127.0.0.1:0"));
  return address_of(gone.address().text());
}

TEST(interleaved, takes_the_families_in_turn_beginning_with_the_first) {
  std::vector<detail::address> all;
  for (const char* one : {"[::1]:1", "[::1]:2", "[::1]:3", "127.0.0.1:4", "127.0.0.1:5"})
    all.push_back(address_of(one));
  std::string order;
  for (const auto& one : detail::interleaved(all)) order += detail::to_endpoint(one).text() + ' ';
  EXPECT_EQ(order, "[::1]:1 127.0.0.1:4 [::1]:2 127.0.0.1:5 [::1]:3 ");
  EXPECT_TRUE(detail::interleaved({}).empty());
}

TEST(connecting, tries_the_next_address_while_the_first_is_silent) {
  run([] {
    const silent_listener silent;
    listener well(endpoint::parse("127.0.0.1:0"));
    const steady_time begin = steady_clock::now();
    const auto made =
        detail::connect_to_any("both", {silent.address(), address_of(well.address().text())}, no_deadline);
    EXPECT_GE(steady_clock::now() - begin, detail::next_attempt_after);
    stream served = well.accept();
    EXPECT_TRUE(served.is_quiet());
  });
}

TEST(connecting, goes_on_at_once_after_a_refusal) {
  run([] {
    listener well(endpoint::parse("127.0.0.1:0"));
    std::vector<detail::address> all(40, refusing());  // 10 s, if each had its time
    all.push_back(address_of(well.address().text()));
    EXPECT_NO_THROW(with_timeout(9s, [&] { detail::connect_to_any("many", all, no_deadline); }));
  });
}

TEST(connecting, says_what_became_of_each_address) {
  run([] {
    const silent_listener silent;
    const detail::address refuses = refusing();
    const std::string text = message_of(errc::timed_out, [&] {
      detail::connect_to_any("name:80", {refuses, silent.address()}, steady_clock::now() + 20ms);
    });
    EXPECT_EQ(text, "connect to name:80: " + detail::to_endpoint(refuses).text() +
                        ": nobody listens there; " + detail::to_endpoint(silent.address()).text() +
                        ": no answer in time");
    EXPECT_EQ(message_of(errc::unavailable,
                         [&] {
                           detail::connect_to_any("name:80", {refuses, refuses}, no_deadline);
                         }),
              "connect to name:80: " + detail::to_endpoint(refuses).text() + ": nobody listens there; " +
                  detail::to_endpoint(refuses).text() + ": nobody listens there; is the server running?");
    EXPECT_EQ(message_of(errc::timed_out,
                         [&] { detail::connect_to_any("x", {silent.address()}, steady_clock::now() + 5ms); }),
              "connect to x: no answer in time");
  });
}

TEST(connecting, ends_when_it_is_cancelled) {
  run([] {
    const silent_listener silent;
    for (const std::size_t count : {1u, 2u}) {
      const std::vector<detail::address> all(count, silent.address());
      auto connecting = go([&] { detail::connect_to_any("x", all, no_deadline); });
      yield();
      connecting.cancel();
      EXPECT_THROW(connecting.join(), cancelled);
    }
  });
}

}  // namespace
}  // namespace weft::net
