#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <cerrno>
#include <vector>

#include <weft/process/self.hpp>

/// At its end there must be neither a child, dead or alive, nor a descriptor that was not there before.
class nothing_left_over {
 public:
  nothing_left_over() = default;
  nothing_left_over(const nothing_left_over&) = delete;
  nothing_left_over& operator=(const nothing_left_over&) = delete;
  ~nothing_left_over() {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(weft::process::open_descriptors(), before_);
  }

 private:
  std::vector<int> before_ = weft::process::open_descriptors();
};
