#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weft/context/context.hpp>

namespace weft::inline v1::trace {

/// One entry of the W3C header baggage.
struct baggage_entry {
  std::string name;
  std::string encoded;     ///< the value as it stands in the header, percent-encoded
  std::string properties;  ///< what follows the value's `;`, word by word; empty for none

  /// The value in clear, UTF-8: other bytes are U+FFFD.
  std::string value() const;
  bool operator==(const baggage_entry&) const = default;
};

/// An entry for a value in clear. The name has the characters of a header's name.
baggage_entry make_baggage_entry(std::string_view name, std::string_view value);

/// Bounds of the baggage of one task, as of what travels otherwise.
inline constexpr std::size_t baggage_entries_max = 64;
inline constexpr std::size_t baggage_bytes_max = 8192;  ///< of the header's text

/// Of the header's text, several headers joined by commas. Entries that are malformed, or one too many, are
/// left out as a whole and counted.
std::vector<baggage_entry> read_baggage(std::string_view header);

/// The header's text; what is over the bounds is left out as a whole and counted.
std::string to_header(const std::vector<baggage_entry>& entries);

/// The baggage in force: the entries that came from elsewhere under names that are no keys here, and the
/// keys with the wire policy baggage. What exports write.
std::vector<baggage_entry> current_baggage(const context& of = context::capture());

/// `base` with the entries bound: those that a key with the wire policy baggage is named for to that key,
/// the others kept, in place of such ones of `base`, to be handed on. A value that its key cannot read leaves
/// the key absent, and is counted.
context with_baggage(const context& base, const std::vector<baggage_entry>& entries);

/// Entries that were left out, since the start of the process.
std::uint64_t baggage_dropped() noexcept;

namespace detail {

/// What a context keeps of the baggage that came.
struct kept_baggage {
  std::vector<baggage_entry> foreign;  ///< no key here has that name
  std::vector<baggage_entry> bound;    ///< with properties, which go on as long as the key has that value
};

const key<kept_baggage>& kept_baggage_key();
/// A program that knows of baggage reads what comes to it, from its start.
inline const key<kept_baggage>& registered_baggage_key = kept_baggage_key();

}  // namespace detail
}  // namespace weft::inline v1::trace

/// On the way to a worker or with a job: the header's text of the foreign entries, and after a line end that
/// of the bound ones.
template <>
struct weft::context_codec<weft::trace::detail::kept_baggage> {
  static std::string to_text(const weft::trace::detail::kept_baggage& value);
  static std::optional<weft::trace::detail::kept_baggage> from_text(std::string_view text);
};
