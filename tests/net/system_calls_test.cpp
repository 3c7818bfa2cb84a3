// What waiting costs: nothing is registered again, and nothing is tried that is known to fail.

#include <weft/net/stream.hpp>

#include <gtest/gtest.h>

#include <sys/syscall.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "support/counted_calls.hpp"
#include "support/sanitized.hpp"

namespace weft::net {
namespace {

constexpr std::size_t trips = 200;
#ifdef SYS_epoll_wait
constexpr long poll_calls[] = {SYS_epoll_pwait, SYS_epoll_wait};
#else
constexpr long poll_calls[] = {SYS_epoll_pwait};
#endif

void echo_between_two_fibers() {
  run([] {
    listener listening(endpoint::parse("127.0.0.1:0"));
    stream client = stream::connect(listening.address());
    stream served = listening.accept();
    auto echoing = go([&] {
      char piece[64];
      while (const std::size_t count = served.read_some(piece)) served.write_all({piece, count});
    });
    const auto round_trip = [&client] {
      char piece[64];
      client.write_all("hello");
      client.read_some(piece);
    };
    for (int n = 0; n < 10; ++n) round_trip();
    counted_calls_mark();
    for (std::size_t n = 0; n < trips; ++n) round_trip();
    counted_calls_mark();
    client.close();
    echoing.join();
  });
}

TEST(stream, a_round_trip_costs_what_is_sent_and_received_and_a_poll_for_each) {
  if (sanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  auto calls = counted_calls(echo_between_two_fibers);
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls[SYS_sendto], 2 * trips);
  EXPECT_EQ(calls[SYS_recvfrom], 2 * trips);
  EXPECT_EQ(calls[SYS_epoll_ctl], 0u);
  std::size_t polls = 0;
  for (const long poll : poll_calls) polls += calls[poll];
  EXPECT_GE(polls, 2 * trips);
  EXPECT_LE(polls, 3 * trips);  // a loop looks now and then by itself
  for (const long counted : {SYS_sendto, SYS_recvfrom}) calls.erase(counted);
  for (const long poll : poll_calls) calls.erase(poll);
  for (const auto& [number, count] : calls) EXPECT_LE(count, 4u) << "system call " << number;
}

}  // namespace
}  // namespace weft::net
