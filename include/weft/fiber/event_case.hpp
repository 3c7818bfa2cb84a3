#pragma once

#include <weft/context/select_case.hpp>
#include <weft/fiber/event.hpp>

namespace weft::inline v1::detail {

/// Being set, as a case of a select.
class event_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return event_->seems_set(); }
  bool try_now() noexcept final { return event_->seems_set(); }

 protected:
  explicit event_case(event& of) noexcept : select_case(&of.guard_, &of.waiters_), event_(&of) {}
  event_case(event_case&&) noexcept = default;
  ~event_case() override = default;

 private:
  event* event_;
};

}  // namespace weft::inline v1::detail
