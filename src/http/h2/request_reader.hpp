#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail::h2 {

/// Makes a request's head of the fields of a HEADERS frame, by the rules that hold for HTTP/1: what is not as
/// it should be is refused, never repaired.
///
/// add() each field, then finish() once. What is refused early is not kept, however much of it comes.
class request_reader : public request_rules {
 public:
  explicit request_reader(const limits& bounds) : request_rules(bounds) {}
  // The head has views into it.
  request_reader(const request_reader&) = delete;
  request_reader& operator=(const request_reader&) = delete;

  void add(std::string_view name, std::string_view value);
  /// All of them came. `ends`: there is no body. progress::done or refused.
  progress finish(bool ends);
  /// Bytes of fields so far, also of those that were not kept.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct place {
    std::uint32_t name_begin, name_bytes, value_bytes;
  };
  place keep(std::string_view name, std::string_view value);
  std::string_view name_at(const place& of) const noexcept;
  std::string_view value_at(const place& of) const noexcept;
  void add_pseudo(std::string_view name, std::string_view value);
  progress add_kept();
  progress finish_body(bool ends) noexcept;
  void refuse_for_good(int status, const char* why) noexcept;

  std::string text_;
  std::string cookies_;  // pieces of one field
  std::vector<place> places_;
  place method_{}, target_{}, scheme_{}, host_{};
  bool has_method_ = false, has_target_ = false, has_scheme_ = false, has_authority_ = false;
  bool refused_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace weft::inline v1::http::detail::h2
