#pragma once

#include <sys/types.h>

namespace weft::inline v1::jobs {

/// Made with a store, it knows the process: in a child that is forked from it the store's threads are not
/// there, and who asked them would wait for ever.
class forked_store_check {
 public:
  forked_store_check();
  /// Throws weft::error (misuse) in another process.
  void require_own() const {
    if (!is_own()) refuse();
  }
  bool is_own() const noexcept;

 private:
  [[noreturn]] static void refuse();
  pid_t owner_;
};

}  // namespace weft::inline v1::jobs
