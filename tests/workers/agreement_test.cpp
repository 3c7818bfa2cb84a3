#include "workers/agreement.hpp"

#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>
#include <weft/process/socket.hpp>
#include <weft/workers/errors.hpp>

// What a pool takes its server for, after what the server said or did not say.

namespace {

using namespace std::chrono_literals;
using namespace weft::workers::detail;
using weft::errc;

class agreement : public testing::Test {
 protected:
  agreement() : agreement(weft::process::stream_pair()) {}

  void say(std::string_view text) {
    EXPECT_EQ(::send(server_end.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void agree_on(bool needs_native, std::chrono::milliseconds within = 20s) {
    agree(link, {.connect = "unix:/server"}, known, needs_native, weft::deadline_after(within),
          {.accepts_within = accepts_within, .surely_accepts_within = 2ms});
  }
  errc refusal_of(bool needs_native) {
    try {
      agree_on(needs_native);
    } catch (const weft::error& refused) {
      return refused.code();
    }
    return errc::unknown;
  }

  weft::unique_fd server_end;
  worker_link link;
  std::atomic<server_kind> known = server_kind::unknown;
  std::chrono::milliseconds accepts_within = 1ms;

 private:
  explicit agreement(std::pair<weft::unique_fd, weft::unique_fd> ends)
      : server_end(std::move(ends.first)), link(std::move(ends.second), 1000, nullptr) {
    link.connection.attach();
    link.is_asked = true;
  }
};

TEST_F(agreement, one_that_accepts_is_native) {
  say(native_magic);
  agree_on(false);
  EXPECT_EQ(known, server_kind::native);
  EXPECT_FALSE(link.messages);
}

TEST_F(agreement, a_silent_one_is_compatible) {
  agree_on(false);
  EXPECT_EQ(known, server_kind::compatible);
  EXPECT_TRUE(link.messages);
}

TEST_F(agreement, a_call_with_little_time_keeps_half_of_it) {
  accepts_within = 1h;
  agree_on(false, 3s);
  EXPECT_EQ(known, server_kind::compatible);
}

TEST_F(agreement, one_known_as_native_that_is_silent_is_unavailable_and_known_no_longer) {
  known = server_kind::native;
  EXPECT_EQ(refusal_of(false), errc::unavailable);
  EXPECT_EQ(known, server_kind::unknown);
}

TEST_F(agreement, a_silent_one_that_has_to_be_native_is_refused_and_remembered) {
  EXPECT_EQ(refusal_of(true), errc::unsupported);
  EXPECT_EQ(known, server_kind::compatible);
}

TEST_F(agreement, one_known_as_native_is_not_when_a_call_had_no_time_to_wait) {
  known = server_kind::native;
  EXPECT_THROW(agree_on(false, 1ms), weft::workers::call_timed_out);
  EXPECT_EQ(known, server_kind::unknown);
}

TEST_F(agreement, who_says_something_else_is_no_worker) {
  say("HTTP/1.1");
  EXPECT_EQ(refusal_of(false), errc::malformed);
}

}  // namespace
