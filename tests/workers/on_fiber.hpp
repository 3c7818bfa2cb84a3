#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <weft/fiber/run.hpp>

namespace weft_test {

/// Runs on a fiber; what it throws fails the test.
template <typename Body>
void on_fiber(Body body) {
  EXPECT_EQ(weft::run([&] { body(); }), 0);
}

/// The error of this type that the action throws; another one, or none, fails the test.
template <typename Error, typename Action>
Error caught(Action action) {
  try {
    action();
  } catch (const Error& wanted) {
    return wanted;
  } catch (const std::exception& other) {
    throw std::runtime_error(std::string("thrown instead: ") + other.what());
  }
  throw std::runtime_error("nothing was thrown");
}

}  // namespace weft_test
