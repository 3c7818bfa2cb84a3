#include "workers/compat/message.hpp"

#include <iterator>

#include <weft/core/error.hpp>

namespace weft::inline v1::workers::detail::compat {

namespace {

constexpr std::size_t behind_meta = 2;

// The items and the word they begin with. Throws where they are no message.
std::pair<std::string, wire::json_value::list> open_message(wire::json_value message) {
  auto* const items = message.if_list();
  const auto* const word = items == nullptr || items->empty() ? nullptr : items->front().if_text();
  if (word == nullptr) {
    throw error(errc::malformed, "workers: read a message: it is no list that begins with a word");
  }
  return {*word, std::move(*items)};
}

[[noreturn]] void throw_unknown(std::string_view word) {
  throw error(errc::malformed,
              "workers: read a message: nothing begins with \"" + std::string(shortened(word, 32)) + "\"");
}

}  // namespace

std::string_view shortened(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  const auto is_inside = [](char one) { return (static_cast<unsigned char>(one) & 0xC0U) == 0x80U; };
  while (bytes_max > 0 && is_inside(text[bytes_max])) --bytes_max;
  return text.substr(0, bytes_max);
}

request read_request(wire::json_value message) {
  auto [word, items] = open_message(std::move(message));
  request read;
  read.is_call = word == "do";
  if (!read.is_call && word != "dn") throw_unknown(word);
  if (read.is_call && items.size() > behind_meta) {
    read.arguments.assign(std::make_move_iterator(items.begin() + behind_meta),
                          std::make_move_iterator(items.end()));
  }
  return read;
}

reply read_reply(wire::json_value message) {
  auto [word, items] = open_message(std::move(message));
  reply read;
  read.ok = word == "ok";
  if (!read.ok && word != "er") throw_unknown(word);
  if (items.size() <= behind_meta) {
    throw error(errc::malformed, "workers: read a message: \"" + word + "\" comes without a value");
  }
  read.value = std::move(items[behind_meta]);
  if (const auto* const meta = items[1].if_object()) {
    if (const auto* const log = meta->find("ld")) read.log = *log;
  }
  return read;
}

std::string write_reply(bool ok, std::string_view value, std::string_view log) {
  std::string out = ok ? "[\"ok\",{" : "[\"er\",{";
  out.reserve(value.size() + log.size() + 20);
  if (!log.empty()) {
    out += "\"ld\":";
    out += log;
  }
  out += "},";
  out += value;
  out += ']';
  return out;
}

std::string write_call(std::string_view name, std::string_view arguments) {
  std::string out = "[\"do\",{}";
  out.reserve(name.size() + arguments.size() + 16);
  if (!name.empty()) {
    out += ',';
    out += wire::to_text(name);
  }
  // The items of the list, without its brackets.
  if (arguments.size() > 2) {
    out += ',';
    out += arguments.substr(1, arguments.size() - 2);
  }
  out += ']';
  return out;
}

}  // namespace weft::inline v1::workers::detail::compat
