#include <algorithm>
#include <charconv>
#include <cstdio>

#include <openssl/crypto.h>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/key_file.hpp>

#include "wire/key_text.hpp"

// The text of key files.

namespace weft::inline v1::wire {
namespace {

using std::chrono::sys_seconds;

constexpr std::string_view created_mark = "created=";
constexpr std::string_view retired_mark = "retired=";

int number(std::string_view digits) {
  int value = -1;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return end.ec == std::errc() && end.ptr == digits.data() + digits.size() ? value : -1;
}

/// Nothing where the text is no date of ours.
std::optional<sys_seconds> date_of(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !is_digit : text[i] != form[i]) return std::nullopt;
  }
  using namespace std::chrono;
  const year_month_day day{year(number(text.substr(0, 4))),
                           month(static_cast<unsigned>(number(text.substr(5, 2)))),
                           std::chrono::day(static_cast<unsigned>(number(text.substr(8, 2))))};
  const int of_day_h = number(text.substr(11, 2));
  const int of_day_m = number(text.substr(14, 2));
  const int of_day_s = number(text.substr(17, 2));
  if (!day.ok() || of_day_h > 23 || of_day_m > 59 || of_day_s > 59) return std::nullopt;
  return sys_days(day) + hours(of_day_h) + minutes(of_day_m) + seconds(of_day_s);
}

/// The next word of a line; words are parted by one space.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

/// Reads the line, or gives false. Nothing of it is in a message: it may hold a secret.
bool read_line(std::string_view line, key_file& into) {
  const std::string id(take_word(line));
  const std::string_view secret_text = take_word(line);
  if (secret_text == "-") {
    if (!line.starts_with(retired_mark)) return false;
    const auto date = date_of(line.substr(retired_mark.size()));
    if (date) into.retired.push_back({id, *date});
    return date.has_value();
  }
  std::optional<sys_seconds> created;
  if (!line.empty()) {
    if (!line.starts_with(created_mark)) return false;
    created = date_of(line.substr(created_mark.size()));
    if (!created) return false;
  }
  auto secret = from_base64(secret_text);
  if (!secret || secret->empty()) return false;
  secret_bytes kept(*secret);
  OPENSSL_cleanse(secret->data(), secret->size());
  into.keys.emplace_back(id, std::move(kept), created);
  return true;
}

}  // namespace

std::string date_text(sys_seconds at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

key_file key_file::parse(std::string_view text, const std::string& shown) {
  key_file read;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) continue;
    if (line.front() == '#') {
      read.comments.emplace_back(line);
    } else if (!read_line(line, read)) {
      throw error(errc::malformed, shown + ": line " + std::to_string(number) +
                                       " is not `<id> <secret in base64> [created=<date>]`");
    }
  }
  if (read.keys.empty()) throw error(errc::malformed, shown + ": holds no key");
  return read;
}

secret_bytes key_text(std::span<const key> keys, std::span<const retired_key> retired,
                      std::span<const std::string> comments) {
  std::string text;
  std::size_t size = 0;
  for (const auto& one : comments) size += one.size() + 1;
  for (const auto& one : keys) size += one.id().size() + 2 * one.secret().size() + 64;
  for (const auto& one : retired) size += one.id.size() + 64;
  text.reserve(size);  // so that no copy of it stays behind
  for (const auto& one : comments) text += one + '\n';
  for (const auto& one : keys) {
    std::string secret = to_base64(one.secret());
    text.append(one.id()).append(" ").append(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    if (one.created()) text.append(" ").append(created_mark).append(date_text(*one.created()));
    text += '\n';
  }
  for (const auto& one : retired) {
    text.append(one.id).append(" - ").append(retired_mark).append(date_text(one.retired)) += '\n';
  }
  secret_bytes kept(as_bytes(text));
  OPENSSL_cleanse(text.data(), text.size());
  return kept;
}

}  // namespace weft::inline v1::wire
