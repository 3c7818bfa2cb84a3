#pragma once

#include <weft/context/select_case.hpp>
#include <weft/fiber/join_point.hpp>

namespace weft::inline v1::detail {

/// The end of a fiber, as a case of a select.
class fiber_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return end_->is_done(); }
  bool try_now() noexcept final { return end_->is_done(); }

 protected:
  explicit fiber_case(join_point& end) noexcept : select_case(&end.lock_, &end.joiners_), end_(&end) {}
  fiber_case(fiber_case&&) noexcept = default;
  ~fiber_case() override = default;
  bool is_of(const join_point& end) const noexcept { return end_ == &end; }

 private:
  join_point* end_;
};

}  // namespace weft::inline v1::detail
