#include "workers/byte_stream.hpp"

#include <array>
#include <chrono>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/core/clock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/process/socket.hpp>

#include "workers/on_fiber.hpp"

namespace {

using weft::workers::detail::byte_stream;
using weft::workers::detail::stream_end;

// A read of a Unix socket ends where descriptors came along.
TEST(byte_stream, bytes_that_lie_behind_descriptors_are_read_without_waiting_for_more) {
  weft_test::on_fiber([] {
    auto [here, there] = weft::process::stream_pair();
    byte_stream reading(std::move(here));
    reading.attach();
    auto waiting = weft::go([&] {
      std::array<char, 100> into;
      for (const std::string_view expected : {"first", "second"}) {
        std::size_t got = 0;
        const auto bound = weft::deadline_after(std::chrono::seconds(20));
        EXPECT_TRUE(reading.wait_readable(bound));
        EXPECT_EQ(reading.read_some(into, got, bound), stream_end::ok);
        EXPECT_EQ(std::string_view(into.data(), got), expected);
      }
    });
    weft::yield();  // it waits by now, and is told of both at once
    EXPECT_EQ(weft::process::send_with_descriptors(there.get(), "first", {there.get()}), 5);
    EXPECT_EQ(::send(there.get(), "second", 6, 0), 6);
    waiting.join();
    EXPECT_EQ(reading.descriptors().size(), 1u);
  });
}

}  // namespace
