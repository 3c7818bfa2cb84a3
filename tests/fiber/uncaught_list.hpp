#pragma once

#include <exception>
#include <string>
#include <vector>

#include <weft/fiber/run.hpp>

namespace weft_test {

/// Collects what goes to the uncaught handler.
struct uncaught_list {
  std::vector<std::string> seen;
  weft::run_options options() {
    return {.on_uncaught = [this](const weft::uncaught_error& what) {
      try {
        std::rethrow_exception(what.error);
      } catch (const std::exception& error) {
        seen.push_back(std::string(what.name) + ": " + error.what());
      }
    }};
  }
};

}  // namespace weft_test
