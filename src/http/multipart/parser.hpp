#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/multipart.hpp>

#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

/// The boundary that a Content-Type of multipart/form-data names. Nothing for another type; one that breaks
/// RFC 2046, 5.1.1, is given as an empty text.
std::optional<std::string> multipart_boundary(std::string_view content_type);

/// Cuts a multipart/form-data body into parts, as bytes arrive. Strict, as the other parsers.
///
/// Use: advance() with what is there; drop what it consumed, whatever it says; do so until end or refused.
class multipart_parser {
 public:
  enum class event : unsigned char {
    more,      ///< more bytes are needed
    part,      ///< the head of a part: part()
    data,      ///< of it: step::data
    part_end,  ///< the part is over
    end,       ///< and so is the body, where nothing but one line end follows
    refused,   ///< see why_refused()
  };
  struct step {
    event what = event::more;
    std::size_t consumed = 0;
    std::string_view data = {};  // points into what was given
  };

  multipart_parser(std::string_view boundary, const multipart_limits& bounds);

  step advance(std::string_view bytes);
  const multipart_part& part() const noexcept { return part_; }
  const refusal& why_refused() const noexcept { return refusal_; }
  /// Was the last boundary seen?
  bool is_ended() const noexcept { return at_ == place::epilogue; }

 private:
  enum class place : unsigned char { opening, behind_boundary, head, data, epilogue, refused };

  step refuse(int status, const char* why) noexcept;
  step open(std::string_view bytes);
  step pass_boundary(std::string_view bytes);
  step read_head(std::string_view bytes);
  step read_data(std::string_view bytes);
  step read_epilogue(std::string_view bytes);
  /// Why the line is refused, or null.
  const char* add_field(std::string_view line);
  const char* add_disposition(std::string_view value);

  std::string delimiter_;  // with the line end in front
  multipart_limits limits_;
  place at_ = place::opening;
  multipart_part part_;
  bool has_disposition_ = false;
  bool has_type_ = false;
  std::size_t head_bytes_ = 0;
  std::size_t parts_ = 0;
  std::size_t epilogue_bytes_ = 0;
  refusal refusal_;
};

}  // namespace weft::inline v1::http::detail
