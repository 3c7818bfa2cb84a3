#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::trace {

/// What tracing systems keep with a trace: the members of the W3C header tracestate, newest first.
///
/// At most 32 members and 512 characters: of more, members over 128 characters go first, then those at the
/// end; a member is never cut. Immutable; copies share one text. Thread-safe.
class trace_state {
 public:
  static constexpr std::size_t members_max = 32;
  static constexpr std::size_t bytes_max = 512;

  /// No members.
  trace_state() noexcept = default;
  /// Of a header's text, several headers joined by commas. Nothing where it is malformed: a bad key or
  /// value, a key twice, more than 32 members. Empty members are left out.
  static std::optional<trace_state> parse(std::string_view header);

  bool empty() const noexcept { return text_ == nullptr; }
  /// The header's text, `key=value,key=value`.
  std::string_view text() const noexcept { return text_ == nullptr ? std::string_view() : *text_; }
  /// The value of that member; nothing if there is none. Valid while this lives.
  std::optional<std::string_view> find(std::string_view key) const noexcept;

  /// The same with that member in front, in place of an older one. Throws weft::error (invalid_argument)
  /// for what may not stand in the header.
  trace_state with(std::string_view key, std::string_view value) const;
  /// The same without that member.
  trace_state without(std::string_view key) const;

  bool operator==(const trace_state& other) const noexcept { return text() == other.text(); }

 private:
  explicit trace_state(std::string text);
  std::shared_ptr<const std::string> text_;  // null: empty
};

}  // namespace weft::inline v1::trace
