#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <weft/log/format.hpp>

#include "log/formatter.hpp"

namespace weft::inline v1::log {
namespace {

constexpr std::array<std::string_view, 4> format_names{"automatic", "text", "logfmt", "json"};

/// Those of syslog(3).
char priority_of(level of) noexcept {
  switch (of) {
    case level::critical:
      return '2';
    case level::error:
      return '3';
    case level::warn:
      return '4';
    case level::info:
      return '6';
    default:
      return '7';
  }
}

line_formatter with_priority(line_formatter plain) {
  return [plain = std::move(plain)](const record& from, std::string& out) {
    out += '<';
    out += priority_of(from.level);
    out += '>';
    plain(from, out);
  };
}

}  // namespace

std::string_view to_string(line_format of) noexcept {
  const auto index = static_cast<std::size_t>(of);
  return index < format_names.size() ? format_names[index] : format_names[0];
}

std::optional<line_format> line_format_from_string(std::string_view name) noexcept {
  for (std::size_t index = 0; index < format_names.size(); ++index) {
    if (format_names[index] == name) return static_cast<line_format>(index);
  }
  return std::nullopt;
}

bool leads_to_journal(int fd) noexcept {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  if (stream == nullptr || ::fstat(fd, &found) != 0) return false;
  char* end = nullptr;
  const unsigned long long device = std::strtoull(stream, &end, 10);
  if (end == stream || *end != ':') return false;
  const char* const second = end + 1;
  const unsigned long long inode = std::strtoull(second, &end, 10);
  return end != second && *end == '\0' && device == found.st_dev && inode == found.st_ino;
}

line_formatter detail::formatter_for(line_format asked, bool is_terminal, bool coloured) {
  if (asked == line_format::automatic) asked = is_terminal ? line_format::text : line_format::logfmt;
  if (asked == line_format::json) return format_json;
  if (asked == line_format::logfmt) return format_logfmt;
  return [coloured](const record& from, std::string& out) { format_text(from, out, coloured); };
}

stream_sink::stream_sink(stream_sink_options options)
    : line_sink({.fd = options.fd, .level = options.level, .queue_records_max = options.queue_records_max},
                [&options] {
                  auto plain = detail::formatter_for(options.format, ::isatty(options.fd) == 1,
                                                     use_colour(options.colour, options.fd));
                  return leads_to_journal(options.fd) ? with_priority(std::move(plain)) : plain;
                }()) {}

}  // namespace weft::inline v1::log
