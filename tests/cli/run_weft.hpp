#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/cli/cli.hpp>

namespace weft_test {

/// What the weft command did.
struct command_outcome {
  int status = -1;
  std::string out;
  std::string err;
};

/// Runs the command in this process.
inline command_outcome run_weft(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "weft");
  std::vector<char*> argv;
  for (auto& one : arguments) argv.push_back(one.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  command_outcome outcome;
  outcome.status = weft::cli::main(static_cast<int>(argv.size()), argv.data());
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace weft_test
