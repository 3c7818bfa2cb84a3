#pragma once

namespace weft::inline v1::detail {

/// While it lives, libweft_hook.so, where the program has loaded it, may make this thread's fibers wait.
class hooked_thread {
 public:
  hooked_thread() noexcept;
  hooked_thread(const hooked_thread&) = delete;
  hooked_thread& operator=(const hooked_thread&) = delete;
  ~hooked_thread();
};

}  // namespace weft::inline v1::detail
