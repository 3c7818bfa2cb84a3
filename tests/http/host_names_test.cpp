#include <weft/http/host_names.hpp>

#include <gtest/gtest.h>

namespace weft::http {
namespace {

TEST(host_names, of_loopback_are_all_its_addresses_and_one_name) {
  for (const char* const local :
       {"localhost", "LocalHost:80", "127.0.0.1", "127.1.2.3:1", "[::1]", "[::1]:80", "localhost:"})
    EXPECT_TRUE(names_loopback(local)) << local;
  for (const char* const other : {"",
                                  ":",
                                  ":80",
                                  "localhost.",
                                  "127.0.0.1.example",
                                  "127.1",
                                  "2130706433",
                                  "128.0.0.1",
                                  "[::2]",
                                  "[::1",
                                  "::1",
                                  "[127.0.0.1]",
                                  "[localhost]",
                                  "::ffff:127.0.0.1",
                                  "0.0.0.0",
                                  "a@localhost",
                                  "localhost:80:80",
                                  "localhost:evil.example",
                                  "[::1]evil",
                                  "[]"})
    EXPECT_FALSE(names_loopback(other)) << other;
}

TEST(host_names, a_host_field_is_compared_without_its_port_and_case) {
  const std::vector<std::string> hosts{"Jobs.example.org", "[2001:db8::1]"};
  for (const char* const ours :
       {"jobs.example.org", "jobs.EXAMPLE.org:8080", "[2001:DB8::1]:80", "localhost:1"})
    EXPECT_TRUE(names_loopback_or(hosts, ours)) << ours;
  for (const char* const other : {"", "jobs.example.org.", "evil.jobs.example.org", "jobs.example.org:80x",
                                  "2001:db8::1", "example.org"})
    EXPECT_FALSE(names_loopback_or(hosts, other)) << other;
  EXPECT_FALSE(names_loopback_or({}, "jobs.example.org"));
}

TEST(host_names, say_whether_others_can_connect) {
  for (const char* const local : {"127.0.0.1:80", "[::1]:80", "unix:/run/admin.sock", "localhost:80"})
    EXPECT_TRUE(is_local(net::endpoint::parse(local))) << local;
  for (const char* const wide : {"0.0.0.0:80", "[::]:80", "192.0.2.1:80"})
    EXPECT_FALSE(is_local(net::endpoint::parse(wide))) << wide;
}

}  // namespace
}  // namespace weft::http
