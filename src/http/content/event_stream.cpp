#include <weft/http/event_stream.hpp>

#include <mutex>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"
#include "http/response_access.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http {

namespace {

void append_line(std::string& to, std::string_view field, std::string_view value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    throw error(errc::invalid_argument, "http: the " + std::string(field) +
                                            " of a server-sent event has a line "
                                            "break or a zero");
  }
  to.append(field).append(": ").append(value).append("\n");
}

/// Each line of the data is a field of its own; all three ways to end one are.
void append_data(std::string& to, std::string_view data) {
  while (true) {
    const std::size_t end = data.find_first_of("\r\n");
    to.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
}

std::string text_of(const server_event& one) {
  std::string text;
  if (!one.id.empty()) append_line(text, "id", one.id);
  if (!one.name.empty()) append_line(text, "event", one.name);
  if (one.retry) append_line(text, "retry", std::to_string(one.retry->count()));
  append_data(text, one.data);
  return text += '\n';
}

}  // namespace

event_stream::event_stream(request& in, response& out, event_stream_options options)
    : out_(out),
      host_(detail::response_access::host(out)),
      last_id_(in.header("Last-Event-ID").value_or("")) {
  out.content_type("text/event-stream").header("Cache-Control", "no-cache").header("X-Accel-Buffering", "no");
  out.write({});
  if (in.method() == "HEAD") ended_.set();
  if (host_ == nullptr) return;
  tends_ = go_here([this, options] { tend(options.keep_alive); }, {.name = "http events"});
  host_->set_switched(*this);
}

event_stream::~event_stream() {
  if (host_ == nullptr) return;
  host_->clear_switched();
  tends_.cancel();
  shield([this] {
    try {
      tends_.join();
    } catch (const cancelled&) {  // as it was told to
    }
  });
}

bool event_stream::send(const server_event& one) { return write(text_of(one)); }

bool event_stream::write(std::string_view text) {
  const std::lock_guard one_at_a_time(writing_);
  if (ended_.is_set()) return false;
  try {
    out_.write(text);
    return true;
  } catch (const cancelled&) {
    ended_.set();  // a part may have been sent
    throw;
  } catch (const error& failed) {
    ended_.set();
    if (failed.code() == errc::misuse) throw;
    return false;
  }
}

/// Sends comments, and looks whether the client is still there.
void event_stream::tend(std::chrono::milliseconds keep_alive) {
  detail::transport& peer = host_->connection();
  bool watches = !host_->tells_of_leaving();
  try {
    while (is_open()) {
      const steady_time until = detail::bound_until(keep_alive);
      if (watches && wait_readable_until(peer.socket().fd(), until)) {
        if (!peer.is_alive()) break;
        watches = peer.is_quiet();  // else it has sent more, which is read after this answer
        continue;
      }
      if (!watches && ended_.wait_until(until)) break;
      write(":\n\n");
    }
  } catch (const error& failed) {
    log::debug("http: an event stream has ended", {{"why", failed.what()}});
  }
  ended_.set();
}

}  // namespace weft::inline v1::http
