#pragma once

namespace weft::inline v1::detail {

/// Sets a flag for as long as it lives.
class flag_mark {
 public:
  explicit flag_mark(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  flag_mark(const flag_mark&) = delete;
  flag_mark& operator=(const flag_mark&) = delete;
  ~flag_mark() { flag_ = false; }

 private:
  bool& flag_;
};

}  // namespace weft::inline v1::detail
