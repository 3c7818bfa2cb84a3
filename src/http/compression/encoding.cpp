#include "http/compression/encoding.hpp"

#include <algorithm>

#include <weft/fiber/fiber.hpp>
#include <weft/http/accept.hpp>
#include <weft/http/header.hpp>

namespace weft::inline v1::http::detail {

std::optional<deflate_format> format_of(std::string_view content_encoding) noexcept {
  if (same_name(content_encoding, "gzip") || same_name(content_encoding, "x-gzip"))
    return deflate_format::gzip;
  if (same_name(content_encoding, "deflate")) return deflate_format::zlib;
  return std::nullopt;
}

std::optional<deflate_format> wanted_format(std::string_view accept_encoding) noexcept {
  std::optional<int> gzip, zlib, others;
  while (const auto got = next_accepted(accept_encoding)) {
    if (!got->parameters.empty()) continue;  // codings have none
    const auto format = format_of(got->value);
    if (format) {
      std::optional<int>& its = *format == deflate_format::gzip ? gzip : zlib;
      its = std::max(its.value_or(0), got->quality);
    } else if (got->value == "*") {
      others = got->quality;
    }
  }
  const int of_gzip = gzip.value_or(others.value_or(0));
  const int of_zlib = zlib.value_or(others.value_or(0));
  if (std::max(of_gzip, of_zlib) == 0) return std::nullopt;
  return of_gzip >= of_zlib ? deflate_format::gzip : deflate_format::zlib;
}

bool names_coding(std::string_view accept_encoding, std::string_view coding) noexcept {
  bool is_wanted = false;
  while (const auto got = next_accepted(accept_encoding)) {
    is_wanted = is_wanted || (got->quality > 0 && got->parameters.empty() && same_name(got->value, coding));
  }
  return is_wanted;
}

std::string_view name_of(deflate_format format) noexcept {
  return format == deflate_format::gzip ? "gzip" : "deflate";
}

std::optional<std::string_view> coding_of(std::span<const header> fields) noexcept {
  std::string_view coding;
  for (const header& field : fields) {
    if (!same_name(field.name, "content-encoding") || same_name(field.value, "identity")) continue;
    if (!coding.empty() || !format_of(field.value)) return std::nullopt;
    coding = field.value;
  }
  return coding;
}

std::string packed(std::string_view body, deflate_format format, int level) {
  constexpr std::size_t bytes_in_a_row = 64 * 1024;
  deflater into(format, level);
  std::string made;
  do {
    const std::string_view piece = body.substr(0, bytes_in_a_row);
    body.remove_prefix(piece.size());
    into.write(piece, body.empty() ? deflater::flush::finish : deflater::flush::none, made);
    if (!body.empty()) yield();  // the others shall have their turn, too
  } while (!body.empty());
  return made;
}

void say_that_it_varies(response& of) {
  const std::string_view now = of.header("Vary").value_or("");
  if (now != "*" && !has_list_token(now, "Accept-Encoding")) of.add_header("Vary", "Accept-Encoding");
}

}  // namespace weft::inline v1::http::detail
