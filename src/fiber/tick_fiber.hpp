#pragma once

#include <cstddef>
#include <exception>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/timer_record.hpp>

namespace weft::inline v1::detail {

/// The fiber of one tick.
class tick_fiber final : public fiber_result<void> {
 public:
  tick_fiber(timer_record& of, fiber_origin origin);
  static void* operator new(std::size_t bytes) { return allocate_fiber(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept { free_fiber(memory, bytes); }

 private:
  void run_body() noexcept override;
  void fail_unstarted(std::exception_ptr why) noexcept override;
  void destroy() noexcept override { delete this; }
  bool is_last() const noexcept;
  timer_record& of_;  // it has a reference for us
};

}  // namespace weft::inline v1::detail
