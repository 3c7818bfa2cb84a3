#include <weft/http/event_source.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/http/header.hpp>
#include <weft/log/log.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http {

namespace {

/// May it go better the next time?
bool is_of_the_connection(errc code) noexcept {
  switch (code) {
    case errc::unavailable:
    case errc::timed_out:
    case errc::closed:
    case errc::not_found:  // the server's name, for now
    case errc::resource_exhausted:
      return true;
    default:
      return false;
  }
}

/// Runs `work`, which is cancelled after `bound`. True if it was. No deadline: the server would be told.
template <typename Work>
bool cut_after(std::chrono::milliseconds bound, Work&& work) {
  if (bound.count() == 0) {
    work();
    return false;
  }
  bool is_cut = false;
  cancel_scope scope;
  const timer cutter = after(bound, [&] {
    is_cut = true;
    scope.cancel();
  });
  try {
    work();
    return false;
  } catch (const cancelled&) {
    if (!is_cut) throw;
    return true;
  }
}

bool is_event_stream(std::optional<std::string_view> type) noexcept {
  return type && same_name(detail::trim_blanks(type->substr(0, type->find(';'))), "text/event-stream");
}

}  // namespace

event_source::event_source(client& from, std::string target, event_source_options options)
    : client_(from),
      target_(std::move(target)),
      options_(std::move(options)),
      parser_(options_.event_bytes_max, options_.last_id),
      last_id_(options_.last_id) {}

std::chrono::milliseconds event_source::retry() const noexcept {
  return std::min(retry_.value_or(options_.retry), options_.retry_max);
}

std::optional<received_event> event_source::next() {
  while (true) {
    if (auto one = parser_.next()) {
      last_id_ = one->id;
      return one;
    }
    if (over_) return std::nullopt;
    if (stream_) {
      read();
    } else {
      connect();
    }
  }
}

void event_source::connect() {
  pause();
  try {
    std::optional<streamed_response> answer;
    if (cut_after(options_.answer_within, [&] { answer.emplace(open()); })) {
      ++failures_;
      return lose("the server does not answer");
    }
    if (take_answer(std::move(*answer))) failures_ = 0;
  } catch (const error& failed) {
    if (!is_of_the_connection(failed.code())) {
      over_ = true;
      throw;
    }
    ++failures_;
    lose(failed.what());
  }
}

void event_source::pause() {
  if (!std::exchange(began_, true)) return;
  std::chrono::milliseconds wait = retry();
  for (unsigned n = 0; n < failures_ && wait < options_.retry_max; ++n)
    wait = std::min(2 * wait, options_.retry_max);
  sleep_for(wait);
}

streamed_response event_source::open() {
  request_options with = options_.request;
  with.timeout = std::chrono::milliseconds(0);
  with.headers.emplace_back("Accept", "text/event-stream");
  with.headers.emplace_back("Cache-Control", "no-store");
  if (!parser_.last_id().empty()) with.headers.emplace_back("Last-Event-ID", parser_.last_id());
  return client_.open("GET", target_, {}, with);
}

/// False where the server wants no more connections.
bool event_source::take_answer(streamed_response answer) {
  if (answer.status() == 204) {
    over_ = true;
    return false;
  }
  const auto refuse = [&](const std::string& why) {
    throw error(errc::refused, "http: events of " + target_ + ": " + why);
  };
  if (answer.status() != 200) refuse("the server answered with " + std::to_string(answer.status()));
  if (!is_event_stream(answer.header("Content-Type")))
    refuse("the answer is " + std::string(answer.header("Content-Type").value_or("of no type")));
  stream_.emplace(std::move(answer));
  return true;
}

void event_source::read() {
  try {
    std::string_view piece;
    if (cut_after(options_.silence_max, [&] { piece = stream_->read_body(); }))
      return lose("the server is silent");
    if (piece.empty()) return lose("the answer has ended");
    parser_.feed(piece);
    if (parser_.retry()) retry_ = parser_.retry();
  } catch (const cancelled&) {
    lose("its task was cancelled");
    throw;
  } catch (const error& failed) {
    if (failed.code() == errc::too_large) {
      over_ = true;
      stream_.reset();
      throw;
    }
    lose(failed.what());
  }
}

/// What was read of an event that is not complete is of no use.
void event_source::lose(const char* why) {
  log::debug("http: server-sent events are interrupted", {{"target", target_}, {"why", why}});
  stream_.reset();
  parser_ = event_parser(options_.event_bytes_max, parser_.last_id());
}

}  // namespace weft::inline v1::http
