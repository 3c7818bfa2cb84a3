#pragma once

#include <cstddef>
#include <string>

namespace weft::inline v1::testing::detail {

/// Which faults ended without that their point was passed, for the test that is running.
namespace armed_faults {

/// A fault ends. Any thread.
void note_end(const std::string& point, std::size_t passed);

/// Collects the ends while it lives; one at a time.
class watch {
 public:
  watch();
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch();
  /// The names of those that were never passed, for people; empty for none.
  std::string never_passed() const;
};

}  // namespace armed_faults
}  // namespace weft::inline v1::testing::detail
