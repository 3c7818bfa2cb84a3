#include <weft/trace/baggage.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

#include <weft/core/error.hpp>

#include "trace/chars.hpp"
#include "trace/percent.hpp"

namespace weft::inline v1::trace {
namespace {

constexpr key_spec kept_spec{.name = "weft.baggage", .wire = wire_policy::job};

std::atomic<std::uint64_t> dropped{0};

bool is_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return detail::is_lower(c) || (c >= 'A' && c <= 'Z') || detail::is_digit(c) ||
           marks.find(c) != std::string_view::npos;
  });
}

/// What may stand in a value: visible characters but quotes, commas, semicolons and backslashes.
bool is_octet(char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; }

bool are_properties(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_octet(c) || detail::is_blank(c) || c == ';'; });
}

std::optional<baggage_entry> read_entry(std::string_view written) {
  const bool has_properties = written.find(';') != std::string_view::npos;
  auto properties = written;
  const auto pair = detail::take_until(properties, ';');
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  baggage_entry found;
  found.name = detail::trimmed(pair.substr(0, equals));
  found.encoded = detail::trimmed(pair.substr(equals + 1));
  if (has_properties) found.properties = detail::trimmed(properties);
  if (!is_name(found.name) || !std::ranges::all_of(found.encoded, is_octet) ||
      !are_properties(found.properties)) {
    return std::nullopt;
  }
  return found;
}

std::size_t bytes_of(const baggage_entry& one) {
  return one.name.size() + 1 + one.encoded.size() + (one.properties.empty() ? 0 : 1 + one.properties.size());
}

/// Counts what goes into a header, and what does not fit any more.
class header_room {
 public:
  bool takes(const baggage_entry& one) {
    const std::size_t more = bytes_of(one) + (entries_ == 0 ? 0 : 1);
    if (entries_ == baggage_entries_max || bytes_ + more > baggage_bytes_max) {
      dropped.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    ++entries_;
    bytes_ += more;
    return true;
  }

 private:
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

const baggage_entry* find_entry(const std::vector<baggage_entry>& among, std::string_view name) {
  const auto found = std::ranges::find(among, name, &baggage_entry::name);
  return found == among.end() ? nullptr : &*found;
}

/// The keys in force whose policy is baggage, by name: what the wire form of that hop has.
std::vector<baggage_entry> entries_of_keys(const context& of) {
  constexpr std::size_t header_bytes = 5;
  const std::string frame = of.to_wire(wire_policy::baggage);
  std::vector<baggage_entry> found;
  std::size_t at = header_bytes;
  const auto number = [&] { return static_cast<std::size_t>(static_cast<unsigned char>(frame[at++])); };
  for (std::size_t left = number(); left > 0; --left) {
    const std::size_t name_bytes = number();
    const std::string_view name = std::string_view(frame).substr(at, name_bytes);
    at += name_bytes + 1;  // and the policy
    const std::size_t high = number();
    const std::size_t value_bytes = high << 8 | number();
    found.push_back(make_baggage_entry(name, std::string_view(frame).substr(at, value_bytes)));
    at += value_bytes;
  }
  return found;
}

/// The key that the entry is for; null if it is nobody's here.
const weft::detail::key_record* key_of(const baggage_entry& one) {
  const auto* const found = weft::detail::find_key(one.name);
  return found != nullptr && found->spec.wire == wire_policy::baggage ? found : nullptr;
}

}  // namespace

std::string baggage_entry::value() const { return detail::percent_decoded(encoded); }

baggage_entry make_baggage_entry(std::string_view name, std::string_view value) {
  if (!is_name(name)) {
    throw error(errc::invalid_argument,
                "trace: make a baggage entry \"" + std::string(name) + "\": it is no name of a header");
  }
  return {std::string(name), detail::percent_encoded(value), {}};
}

std::vector<baggage_entry> read_baggage(std::string_view header) {
  std::vector<baggage_entry> all;
  header_room room;
  while (!header.empty()) {
    const auto written = detail::trimmed(detail::take_until(header, ','));
    if (written.empty()) continue;
    auto found = read_entry(written);
    if (!found) {
      dropped.fetch_add(1, std::memory_order_relaxed);
    } else if (room.takes(*found)) {
      all.push_back(std::move(*found));
    }
  }
  return all;
}

std::string to_header(const std::vector<baggage_entry>& entries) {
  std::string text;
  header_room room;
  for (const auto& one : entries) {
    if (!room.takes(one)) continue;
    if (!text.empty()) text += ',';
    text.append(one.name).append(1, '=').append(one.encoded);
    if (!one.properties.empty()) text.append(1, ';').append(one.properties);
  }
  return text;
}

std::vector<baggage_entry> current_baggage(const context& of) {
  auto all = entries_of_keys(of);
  const auto* const kept = of.find(detail::kept_baggage_key());
  if (kept == nullptr) return all;
  for (auto& one : all) {
    const auto* const came = find_entry(kept->bound, one.name);
    if (came != nullptr && came->value() == one.value()) one = *came;
  }
  for (const auto& one : kept->foreign) {
    if (find_entry(all, one.name) == nullptr) all.push_back(one);
  }
  return all;
}

context with_baggage(const context& base, const std::vector<baggage_entry>& entries) {
  detail::kept_baggage kept;
  context made = base;
  for (const auto& one : entries) {
    const auto* const known = key_of(one);
    if (known == nullptr) {
      kept.foreign.push_back(one);
      continue;
    }
    made = context::from_node(weft::detail::bind_text(made.release_node(), *known, one.value()));
    std::erase_if(kept.bound, [&](const baggage_entry& earlier) { return earlier.name == one.name; });
    if (!one.properties.empty()) kept.bound.push_back(one);
  }
  if (kept.foreign.empty() && kept.bound.empty()) {
    return base.find(detail::kept_baggage_key()) == nullptr ? made : made.without(detail::kept_baggage_key());
  }
  return made.with(detail::kept_baggage_key(), std::move(kept));
}

std::uint64_t baggage_dropped() noexcept { return dropped.load(std::memory_order_relaxed); }

namespace detail {

const key<kept_baggage>& kept_baggage_key() {
  // Never destroyed: work may be exported during exit.
  static const auto& instance = *new key<kept_baggage>{kept_spec};
  return instance;
}

}  // namespace detail
}  // namespace weft::inline v1::trace

namespace weft::inline v1 {

std::string context_codec<trace::detail::kept_baggage>::to_text(const trace::detail::kept_baggage& value) {
  std::string text = trace::to_header(value.foreign);
  if (!value.bound.empty()) text.append(1, '\n').append(trace::to_header(value.bound));
  return text;
}

std::optional<trace::detail::kept_baggage> context_codec<trace::detail::kept_baggage>::from_text(
    std::string_view text) {
  const auto foreign = trace::detail::take_until(text, '\n');
  return trace::detail::kept_baggage{trace::read_baggage(foreign), trace::read_baggage(text)};
}

}  // namespace weft::inline v1
