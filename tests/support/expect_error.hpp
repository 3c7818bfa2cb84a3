#pragma once

#include <gtest/gtest.h>
#include <string>

#include <weft/core/error.hpp>

/// `action` must throw a weft::error with `code`; gives its message.
template <typename Action>
std::string message_of(weft::errc code, Action&& action) {
  try {
    action();
  } catch (const weft::error& thrown) {
    EXPECT_EQ(weft::to_string(thrown.code()), weft::to_string(code)) << thrown.message();
    return thrown.message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// Does `text` contain `part`?
inline bool has_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
