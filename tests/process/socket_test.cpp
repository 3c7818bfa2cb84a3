#include <weft/process/socket.hpp>

#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace weft::process;

TEST(socket, descriptors_travel_with_bytes) {
  auto [here, there] = stream_pair();
  auto ends = make_pipe();
  ASSERT_EQ(send_with_descriptors(here.get(), "abc", {ends.writer.get(), ends.reader.get()}), 3);
  char buffer[16];
  std::vector<weft::unique_fd> got;
  ASSERT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, got), 3);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(std::string(buffer, 3), "abc");
  EXPECT_EQ(::write(got[0].get(), "x", 1), 1);
  EXPECT_EQ(::read(got[1].get(), buffer, sizeof buffer), 1);
  EXPECT_NE(::fcntl(got[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(socket, message_borders_are_kept) {
  auto [here, there] = message_pair();
  ASSERT_EQ(send_with_descriptors(here.get(), "one", {}), 3);
  ASSERT_EQ(send_with_descriptors(here.get(), "two", {}), 3);
  char buffer[16];
  std::vector<weft::unique_fd> none;
  EXPECT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, none), 3);
  here.reset();
  EXPECT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, none), 3);
  EXPECT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, none), 0);
}

TEST(socket, a_look_leaves_the_descriptors_that_find_no_place) {
  auto [here, there] = message_pair();
  ASSERT_EQ(send_with_descriptors(here.get(), "one", {here.get()}), 3);
  rlimit former{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
  rlimit none{0, former.rlim_max};
  while (::fcntl(static_cast<int>(none.rlim_cur), F_GETFD) >= 0) ++none.rlim_cur;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  char buffer[16];
  std::vector<weft::unique_fd> got;
  const long looked = receive_with_descriptors(there.get(), buffer, sizeof buffer, got, MSG_PEEK);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);
  EXPECT_EQ(looked, 3);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, got, MSG_PEEK), 3);
  EXPECT_EQ(got.size(), 1u);
  EXPECT_EQ(receive_with_descriptors(there.get(), buffer, sizeof buffer, got), 3);
  EXPECT_EQ(got.size(), 2u);
}

TEST(socket, too_many_descriptors_are_refused) {
  auto [here, there] = stream_pair();
  EXPECT_EQ(send_with_descriptors(here.get(), "x", std::vector<int>(9, 0)), -1);
}

}  // namespace
