#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <weft/http/header.hpp>
#include <weft/http/limits.hpp>

// The head of an HTTP/1 message, parsed in place and strictly: what is not exactly as RFC 9112 wants
// it is refused, never repaired, because two programs that repair differently can be played against
// each other. Nothing is copied; all views point into the caller's buffer.

namespace weft::inline v1::http::detail {

/// Why a message is not accepted: the status a server answers with, and the reason, a literal.
struct refusal {
  int status = 400;
  const char* why = "";
};

enum class progress : unsigned char {
  more,  ///< the bytes so far are right; more are needed
  done,
  refused,  ///< see refusal(); the connection cannot be used any more
};

/// How the end of the body is found.
enum class framing : unsigned char { none, length, chunked, until_close };

/// What the header fields say about the message itself.
struct message_head {
  std::vector<header> fields;
  int minor_version = 1;  ///< of HTTP/1
  framing body = framing::none;
  std::uint64_t content_length = 0;  ///< for framing::length
  bool keep_alive = true;
};

struct request_head : message_head {
  std::string_view method;
  std::string_view target;  ///< as sent
  std::string_view path;    ///< begins with '/', or is "*"; still percent-encoded
  std::string_view query;   ///< what follows the '?', still percent-encoded
  std::string_view host;
  bool expects_continue = false;
};

struct response_head : message_head {
  int status = 0;
};

/// Splits a head into lines and its header lines into fields, as bytes arrive.
class head_parser {
 public:
  const refusal& why_refused() const noexcept { return refusal_; }
  /// Bytes that the head takes, known when it is done.
  std::size_t head_bytes() const noexcept { return line_begin_; }

 protected:
  /// What was seen of the fields that frame the message.
  struct framing_fields {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
  };

  explicit head_parser(const limits& bounds) noexcept : limits_(bounds) {}
  void restart() noexcept;
  progress refuse(int status, const char* why) noexcept;
  /// How far a head may reach, and what to answer if it reaches further.
  struct line_bound {
    std::size_t bytes_max;
    int status;
    const char* why;
  };
  line_bound whole_head() const noexcept { return {limits_.head_bytes_max, 431, "the header is too large"}; }

  /// The next line without its CRLF. `buffered` begins where the head begins.
  progress next_line(std::string_view buffered, const line_bound& bound, std::string_view& line) noexcept;
  /// A header line: checks it, appends it, and looks at it if it frames the message.
  progress add_field(std::string_view line, message_head& head);
  /// The same with one that was checked.
  progress add_field(const header& field, message_head& head);
  progress note_framing(const header& field) noexcept;

  limits limits_;
  framing_fields seen_;

 private:
  progress note_content_length(std::string_view value) noexcept;
  progress note_transfer_encoding(std::string_view value) noexcept;

  refusal refusal_;
  std::size_t line_begin_ = 0;
  std::size_t scanned_ = 0;
};

/// Cuts "name: value"; the refusal's reason, or null. Used for trailers as well.
const char* cut_field(std::string_view line, header& field) noexcept;

/// What the head of a request has to be, in whatever form it came.
class request_rules : public head_parser {
 public:
  const request_head& head() const noexcept { return head_; }

 protected:
  explicit request_rules(const limits& bounds) noexcept : head_parser(bounds) {}

  /// Forgets the last request; keeps its memory.
  void restart() noexcept;
  /// Takes head().target apart.
  progress parse_target() noexcept;
  /// The field that was added last: is it one that says something of the request itself?
  progress note_field() noexcept;
  /// All of the head is here.
  progress finish() noexcept;

  request_head head_;
  std::string_view authority_;  // that the target names
  bool has_host_ = false;

 private:
  progress check_host() noexcept;
};

/// Incremental parser of request heads. Use: advance() with all bytes since the request's first
/// one until it is done or refused; the buffer may move between calls if rebase() is told.
class request_parser : public request_rules {
 public:
  explicit request_parser(const limits& bounds) noexcept : request_rules(bounds) {}

  /// Forgets the last request; keeps its memory.
  void restart() noexcept;
  progress advance(std::string_view buffered);
  /// The buffered bytes moved from `from` to `to`: lets the views follow.
  void rebase(const char* from, const char* to) noexcept;

 private:
  progress parse_request_line(std::string_view line);
  progress parse_version(std::string_view version) noexcept;

  bool has_line_ = false;
  bool skipped_blank_ = false;
};

/// Incremental parser of response heads, as request_parser.
class response_parser : public head_parser {
 public:
  explicit response_parser(const limits& bounds) noexcept : head_parser(bounds) {}

  /// Expects the answer to a request with `method`, which says whether it may have a body.
  void restart(std::string_view method) noexcept;
  progress advance(std::string_view buffered);
  const response_head& head() const noexcept { return head_; }

 private:
  progress parse_status_line(std::string_view line);
  progress finish() noexcept;

  response_head head_;
  bool to_head_request_ = false;
  bool has_line_ = false;
};

}  // namespace weft::inline v1::http::detail
