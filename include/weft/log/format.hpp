#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/codec/describe.hpp>
#include <weft/log/record.hpp>
#include <weft/log/sink.hpp>

namespace weft::inline v1::log {

/// The form in which a record becomes a line.
enum class line_format : unsigned char {
  automatic,  ///< text on a terminal, else logfmt
  text,       ///< for people: format_text()
  logfmt,     ///< name=value: format_logfmt()
  json,       ///< an object each: format_json()
};

WEFT_DESCRIBE_ENUM(line_format, automatic, text, logfmt, json);

/// "automatic", "text", "logfmt", "json".
std::string_view to_string(line_format of) noexcept;
std::optional<line_format> line_format_from_string(std::string_view name) noexcept;

/// `time=2026-03-01T12:00:00.000123Z level=info msg="mail sent" to=a@b.c app.request=r1 task=mailer task_id=7
/// pid=4242 at=mail.cpp:31`: what a record has, its fields and its context (a job's id, a trace's). Text is
/// escaped as in format_text(); in names, what would end them is `_`. A field whose name one of the others
/// has is called `field.NAME`, a context value whose name a field has `context.NAME`.
void format_logfmt(const record& from, std::string& out);

/// The same as one JSON object in a line, `{"time":"...","level":"info","msg":"mail sent",...}`, by the names
/// of logfmt. Numbers and booleans are such, a json_text is what it says where it is JSON and else a string.
/// Control characters are escaped, other bytes than UTF-8 are U+FFFD.
void format_json(const record& from, std::string& out);

/// Is `fd` the stream that the journal of systemd reads, as $JOURNAL_STREAM says?
bool leads_to_journal(int fd) noexcept;

/// What a stream sink writes to, and how.
struct stream_sink_options {
  int fd = 2;                       ///< stays open and stays the caller's
  log::level level = level::debug;  ///< records below are not written; see also set_level
  line_format format = line_format::automatic;
  log::colour colour = colour::automatic;  ///< of text
  std::size_t queue_records_max = 10'000;  ///< waiting to be written; more are dropped and counted
};

/// A line sink for people or for programs. Where the journal reads, each line begins with its priority
/// (`<3>`), so that `journalctl -p err` finds it.
class stream_sink : public line_sink {
 public:
  explicit stream_sink(stream_sink_options options = {});
};

/// In which form the sink writes that is there where none was added, on stderr; text before this was called.
/// May be called again.
void set_default_format(line_format to);
/// What was said; nothing where nothing was.
std::optional<line_format> default_format() noexcept;

}  // namespace weft::inline v1::log
