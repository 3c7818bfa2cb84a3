#pragma once

#include <utility>

namespace weft::inline v1::detail {

/// The function that is posted for a part of `Of`: runs it. It has two ends, this one, where it ran or was
/// dropped, and that of the posting: so who comes last knows whether it ran, and why not.
template <typename Of>
class posted_part {
 public:
  explicit posted_part(Of& of) noexcept : of_(&of) {}
  posted_part(posted_part&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  posted_part& operator=(posted_part&&) = delete;
  ~posted_part() {
    if (of_ != nullptr) of_->end_one();
  }
  void operator()() const { of_->run_part(); }

 private:
  Of* of_;
};

}  // namespace weft::inline v1::detail
