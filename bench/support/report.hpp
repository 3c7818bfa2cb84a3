#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "support/row.hpp"

namespace weft::bench {

/// Prints rows as they come, and `N of M targets met` at the end.
class table {
 public:
  explicit table(std::FILE* out) : out_(out) {}
  void print(const row& one);
  void print_summary(const std::vector<row>& rows);

 private:
  std::FILE* out_;
  std::string group_;  // of the row before
};

/// The rows as the JSON document described in bench/README.md.
std::string to_json(const std::vector<row>& rows);

/// "123", "12.3", "0.0123": three significant digits, no exponent for what a table holds.
std::string number_text(double value);

/// "<= 1.30x", ">= 40.0k ops/s", "" without one.
std::string target_text(const row& one);

}  // namespace weft::bench
