#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/decoder.hpp>

namespace weft::inline v1::wire {
class json_value;
}

namespace weft::inline v1::wire::detail {

/// A JSON text that was checked, as a flat list of nodes in the order of the text.
class json_tape {
 public:
  struct node {
    value_kind kind = value_kind::null;
    std::uint32_t length = 0;  // of a text; items of a list; members of an object; digits of a long integer
    std::uint64_t value =
        0;  // the number's or truth value's bits; where a text or long integer begins in texts
  };

  /// With `keeps_huge` a number that no double holds is infinite; else it is malformed.
  explicit json_tape(std::size_t nodes_max, bool keeps_huge = false)
      : nodes_max_(nodes_max), keeps_huge_(keeps_huge) {}

  /// Throws weft::error: malformed, too_large.
  void read(std::string_view text, std::size_t depth_max);

  const node& operator[](std::size_t index) const noexcept { return nodes_[index]; }
  std::string_view text_at(std::size_t index) const noexcept;

  // For those who write it.

  bool keeps_huge() const noexcept { return keeps_huge_; }
  std::size_t size() const noexcept { return nodes_.size(); }
  /// Throws weft::error (too_large) beyond nodes_max.
  void add(value_kind kind, std::uint64_t value = 0, std::size_t length = 0);
  void set_length(std::size_t index, std::size_t length) noexcept;
  /// Text, of which a later node may be a part.
  std::string& texts() noexcept { return texts_; }

 private:
  std::size_t nodes_max_;
  bool keeps_huge_;
  std::vector<node> nodes_;
  std::string texts_;
};

/// The value, of any kind, that begins at the node `next`, which is the one behind it then.
json_value take_value(const json_tape& from, std::size_t& next);

/// The number with these digits. False where a double does not hold it, unless that is as it is too small to
/// tell from zero, which it is then.
bool read_double(std::string_view digits, double& into);

}  // namespace weft::inline v1::wire::detail
