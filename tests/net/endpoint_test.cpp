#include <weft/net/endpoint.hpp>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

namespace weft::net {
namespace {

TEST(endpoint, reads_tcp_in_all_its_forms) {
  for (const char* const text : {"tcp://127.0.0.1:8080", "127.0.0.1:8080"}) {
    const endpoint read = endpoint::parse(text);
    EXPECT_EQ(read.host(), "127.0.0.1") << text;
    EXPECT_EQ(read.port(), 8080) << text;
    EXPECT_FALSE(read.is_unix()) << text;
  }
  EXPECT_EQ(endpoint::parse("[::1]:0").host(), "::1");
  EXPECT_EQ(endpoint::parse("*:65535").host(), "*");
  EXPECT_EQ(endpoint::parse("localhost:80").text(), "localhost:80");
  EXPECT_EQ(endpoint::parse("tcp://[::1]:80").text(), "[::1]:80");
}

TEST(endpoint, reads_unix_paths) {
  EXPECT_EQ(endpoint::parse("unix:/run/x.sock").path(), "/run/x.sock");
  EXPECT_EQ(endpoint::parse("unix:///run/x.sock").path(), "/run/x.sock");
  EXPECT_EQ(endpoint::parse("unix:@name").text(), "unix:@name");
}

TEST(endpoint, refuses_what_is_not_clear) {
  for (const char* const text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                 "127.0.0.1:80x", "::1:80", ":80", "a b:80", "http://a/b:80", "unix:"}) {
    try {
      endpoint::parse(text);
      ADD_FAILURE() << text;
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::invalid_argument) << text;
    }
  }
  EXPECT_THROW(endpoint::unix_socket(std::string(108, 'x')), error);
}

}  // namespace
}  // namespace weft::net
