#include "http/client_link.hpp"

#include <algorithm>

#include <weft/core/error.hpp>

#include "http/response_access.hpp"

namespace weft::http::detail {

namespace {

[[noreturn]] void throw_late() { throw error(errc::timed_out, "there was no complete response in time"); }
[[noreturn]] void throw_cut_short() {
  throw error(errc::unavailable, "the server closed the connection before the response was complete");
}
[[noreturn]] void throw_refused(const refusal& why) {
  const errc code = why.status == 413 || why.status == 431 ? errc::too_large : errc::malformed;
  throw error(code, std::string("the response is not acceptable: ") + why.why);
}

}  // namespace

client_link::failed client_link::exchange(std::string_view method, std::string_view head,
                                          std::string_view body, steady_time until, response& into) {
  reusable_ = false;
  const bool sent = send(head, body, until);
  if (!read_head(method, until)) return sent ? failed::unanswered : failed::unsent;
  const response_head& got = parser_.head();
  response_access::received(into, got.status);
  std::string& fields = response_access::fields(into);
  for (const header& field : got.fields) {
    fields.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  const bool keep = got.keep_alive;
  read_body(response_access::body(into), until);
  reusable_ = sent && keep && buffer_.empty();
  return failed::no;
}

/// False: the peer closed meanwhile. It may have answered all the same, to refuse a large body.
bool client_link::send(std::string_view head, std::string_view body, steady_time until) {
  const std::string_view pieces[] = {head, body};
  try {
    if (!stream_.write_all_until(pieces, until)) throw_late();
  } catch (const error& broken) {
    if (broken.code() != errc::unavailable) throw;
    return false;
  }
  return true;
}

bool client_link::fill(steady_time until) {
  const auto room = buffer_.room();
  const std::optional<std::size_t> count = stream_.read_some_until(room, until);
  if (!count) throw_late();
  buffer_.commit(*count);
  return *count > 0;
}

void client_link::fill_or_throw(steady_time until) {
  if (!fill(until)) throw_cut_short();
}

bool client_link::read_head(std::string_view method, steady_time until) {
  while (true) {
    // The buffer moves only between attempts: each begins at the first byte, views stay right.
    parser_.restart(method);
    const progress parsed = parser_.advance(buffer_.readable());
    if (parsed == progress::refused) throw_refused(parser_.why_refused());
    if (parsed == progress::done) {
      const int status = parser_.head().status;
      if (status == 101) throw error(errc::malformed, "the server switched protocols without being asked");
      if (status >= 200) return true;
      buffer_.consume(parser_.head_bytes());  // 100 Continue and its like
      continue;
    }
    const bool nothing_yet = buffer_.empty();
    try {
      if (fill(until)) continue;
    } catch (const error& broken) {
      if (broken.code() != errc::unavailable || !nothing_yet) throw;
    }
    if (nothing_yet) return false;
    throw_cut_short();
  }
}

void client_link::read_body(std::string& into, steady_time until) {
  buffer_.consume(parser_.head_bytes());
  switch (parser_.head().body) {
    case framing::none:
      return;
    case framing::chunked:
      return read_chunked(into, until);
    case framing::until_close:
      return read_to_end(into, until);
    case framing::length:
      break;
  }
  const auto length = static_cast<std::size_t>(parser_.head().content_length);
  const std::size_t here = std::min(length, buffer_.size());
  into.assign(buffer_.readable().substr(0, here));
  buffer_.consume(here);
  into.resize(length);
  for (std::size_t done = here; done < length;) {
    const std::optional<std::size_t> count =
        stream_.read_some_until(std::span(into).subspan(done, length - done), until);
    if (!count) throw_late();
    if (*count == 0) throw_cut_short();
    done += *count;
  }
}

void client_link::read_chunked(std::string& into, steady_time until) {
  decoder_.restart();
  while (true) {
    const chunk_decoder::step step = decoder_.advance(buffer_.readable(), buffer_.data());
    into.append(buffer_.data(), step.written);
    buffer_.consume(step.consumed);
    if (step.how == progress::refused) throw_refused(decoder_.why_refused());
    if (step.how == progress::done) return;
    fill_or_throw(until);
  }
}

void client_link::read_to_end(std::string& into, steady_time until) {
  do {
    into.append(buffer_.readable());
    buffer_.consume(buffer_.size());
    if (into.size() > limits_.body_bytes_max) throw_refused({413, "the body is too large"});
  } while (fill(until));
}

}  // namespace weft::http::detail
