#pragma once

#include <memory>
#include <string>

#include <weft/fiber/run.hpp>

#include "jobs/postgres/link/connection.hpp"
#include "support/expect_error.hpp"

namespace weft_test {

/// Runs `body` with a session, both on a loop.
template <typename Body>
void with_connection(const std::string& url, Body body) {
  weft::run([&] {
    const auto session = weft::jobs::postgres::connection::open(weft::jobs::postgres::address(url));
    body(*session);
  });
}

/// `action` must throw a weft::error with `code`, and `part` in its message.
template <typename Action>
void expect_error(weft::errc code, Action&& action, const std::string& part = {}) {
  const std::string said = message_of(code, action);
  EXPECT_TRUE(has_text(said, part)) << said;
}

/// The error with which `action` fails; what it throws besides goes on.
template <typename Action>
weft::jobs::postgres::database_error database_error_of(Action&& action) {
  try {
    action();
  } catch (const weft::jobs::postgres::database_error& thrown) {
    return thrown;
  }
  throw weft::error(weft::errc::internal, "it did not fail");
}

}  // namespace weft_test
