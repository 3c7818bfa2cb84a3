#include "http/compression/encoding.hpp"

#include <algorithm>

#include <weft/fiber/fiber.hpp>
#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::http::detail {

namespace {

/// A quality in thousandths: "0.5", "1", "1.000" (RFC 9110, 12.4.2).
std::optional<int> quality_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.') return std::nullopt;
  int unit = 100;
  for (const char digit : text.substr(2)) {
    if (!digit_bytes.has(digit)) return std::nullopt;
    value += (digit - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? std::optional(value) : std::nullopt;
}

/// One element of an Accept-Encoding.
struct preference {
  std::string_view coding;
  int quality = 1000;
};

std::optional<preference> read_preference(std::string_view element) noexcept {
  const std::size_t semicolon = std::min(element.find(';'), element.size());
  preference got{trim_blanks(element.substr(0, semicolon))};
  if (!token_bytes.spells(got.coding)) return std::nullopt;
  if (semicolon == element.size()) return got;
  const std::string_view weight = trim_blanks(element.substr(semicolon + 1));
  if (weight.size() < 2 || to_lower(weight[0]) != 'q' || weight[1] != '=') return std::nullopt;
  const std::optional<int> quality = quality_of(weight.substr(2));
  if (!quality) return std::nullopt;
  got.quality = *quality;
  return got;
}

/// Malformed elements are left out.
template <typename F>
void for_each_preference(std::string_view accept_encoding, F take) {
  while (!accept_encoding.empty()) {
    const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const auto got = read_preference(trim_blanks(accept_encoding.substr(0, end)));
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    if (got) take(*got);
  }
}

}  // namespace

std::optional<deflate_format> format_of(std::string_view content_encoding) noexcept {
  if (same_name(content_encoding, "gzip") || same_name(content_encoding, "x-gzip"))
    return deflate_format::gzip;
  if (same_name(content_encoding, "deflate")) return deflate_format::zlib;
  return std::nullopt;
}

std::optional<deflate_format> wanted_format(std::string_view accept_encoding) noexcept {
  std::optional<int> gzip, zlib, others;
  for_each_preference(accept_encoding, [&](const preference& got) {
    const auto format = format_of(got.coding);
    if (format) {
      std::optional<int>& its = *format == deflate_format::gzip ? gzip : zlib;
      its = std::max(its.value_or(0), got.quality);
    } else if (got.coding == "*") {
      others = got.quality;
    }
  });
  const int of_gzip = gzip.value_or(others.value_or(0));
  const int of_zlib = zlib.value_or(others.value_or(0));
  if (std::max(of_gzip, of_zlib) == 0) return std::nullopt;
  return of_gzip >= of_zlib ? deflate_format::gzip : deflate_format::zlib;
}

bool names_coding(std::string_view accept_encoding, std::string_view coding) noexcept {
  bool is_wanted = false;
  for_each_preference(accept_encoding, [&](const preference& got) {
    is_wanted = is_wanted || (got.quality > 0 && same_name(got.coding, coding));
  });
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

}  // namespace weft::http::detail
