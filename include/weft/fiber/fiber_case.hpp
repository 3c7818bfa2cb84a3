#pragma once

#include <mutex>

#include <weft/context/select_case.hpp>
#include <weft/fiber/fiber_block.hpp>

namespace weft::detail {

/// The end of a fiber, as a case of a select.
class fiber_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return fiber_->is_done(); }
  bool try_now() noexcept final { return fiber_->is_done(); }

 protected:
  explicit fiber_case(fiber_block& fiber) noexcept
      : select_case(&fiber.join_lock_, &fiber.joiners_), fiber_(&fiber) {}
  fiber_case(fiber_case&&) noexcept = default;
  ~fiber_case() override = default;
  bool is_of(const fiber_block* fiber) const noexcept { return fiber_ == fiber; }

 private:
  fiber_block* fiber_;
};

}  // namespace weft::detail
