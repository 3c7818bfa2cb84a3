#pragma once

#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace weft::inline v1::testing {

/// What a test may leave behind in its process: descriptors and child processes that were not there before.
///
///     weft::testing::leak_check leaks;
///     use_it();
///     EXPECT_EQ(leaks.found(), "");
///
/// Both are the process's: what other threads open meanwhile counts too. A descriptor that was closed and
/// opened again under its number is not seen. run() has one around each test.
class leak_check {
 public:
  /// Looks at what is there now.
  leak_check();

  /// A line for each that is there and was not: `descriptor 7: socket:[41177]`, `child process 4711 (sleep)`.
  /// Empty for none. Dead children that nobody waited for count too.
  std::string found() const;
  /// Throws test_failure with found(), unless that is empty.
  void require_none() const;

 private:
  std::vector<int> descriptors_;
  std::set<pid_t> children_;
};

}  // namespace weft::inline v1::testing
