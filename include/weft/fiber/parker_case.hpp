#pragma once

#include <weft/context/select_case.hpp>
#include <weft/fiber/parker.hpp>

namespace weft::inline v1::detail {

/// Taking a permit, as a case of a select.
class parker_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return parker_->permit_.load(std::memory_order_relaxed); }
  bool try_now() noexcept final {
    const bool had = seems_ready();
    parker_->permit_.store(false, std::memory_order_relaxed);
    return had;
  }

 protected:
  explicit parker_case(parker& of) noexcept : select_case(&of.lock_, &of.waiters_), parker_(&of) {}
  explicit parker_case(external_waker& of) noexcept : parker_case(of.parked_) {}
  parker_case(parker_case&&) noexcept = default;
  ~parker_case() override = default;

 private:
  parker* parker_;
};

}  // namespace weft::inline v1::detail
