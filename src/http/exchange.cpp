#include "http/exchange.hpp"

#include <algorithm>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/trace/span.hpp>

#include "http/bound_until.hpp"
#include "http/chars.hpp"
#include "http/connection_lost.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr byte_set id_bytes = byte_set("-._").with_letters_and_digits();
constexpr std::size_t id_bytes_max = 128;

bool is_request_id(std::string_view text) noexcept {
  return text.size() <= id_bytes_max && id_bytes.spells(text);
}

}  // namespace

void exchange::find() {
  const request_head& head = asked_;
  lane_.routes().find(head.method, head.path, match_);
  // Nobody wants the body that the client would send: it is not asked to.
  if (match_.work == nullptr) match_.options.streams_body = head.expects_continue;
  client_left_ = false;
}

void exchange::client_left() noexcept {
  if (!match_.options.ends_with_client) return;
  client_left_ = true;
  if (bound_ != nullptr) bound_->cancel(cancel_reason::requested);
}

void exchange::serve() {
  writer_.begin(request_id_of());
  if (match_.options.is_always_admitted) return run();
  admission& door = lane_.admission();
  if (!door.begin()) return turn_away();
  struct admitted {
    admission& door;
    ~admitted() { door.end(); }
  } const here{door};
  run();
}

void exchange::turn_away() {
  ++lane_.counters().shed_requests;
  writer_.answer().status(503).header("Retry-After", "1").body("the server is busy\n");
}

void exchange::run() {
  ++lane_.counters().requests;
  const request_head& head = asked_;
  if (match_.work == nullptr && match_.around.empty()) return answer_without_handler();
  request in(request_parts{.method = head.method,
                           .target = head.target,
                           .path = head.path,
                           .query = head.query,
                           .host = head.host,
                           .headers = head.fields,
                           .source = &body_,
                           .content_length = head.body == framing::chunked
                                                 ? std::nullopt
                                                 : std::optional<std::uint64_t>(head.content_length),
                           .id = writer_.id(),
                           .route = match_.pattern,
                           .parameters = match_.parameters,
                           .connection = response_access::host(writer_.answer()),
                           .services = lane_.options().services == nullptr ? nullptr : this});
  struct running {
    exchange& of;
    ~running() {
      of.services_.reset();
      of.request_ = nullptr;
    }
  } const here{*this};
  request_ = &in;
  const scoped_value named(request_id, writer_.id());
  run_traced();
  writer_.end_body();  // filters may look at the request and use its services
}

std::string exchange::request_id_of() const {
  const std::optional<std::string_view> given = find_header(asked_.fields, "x-request-id");
  return given && is_request_id(*given) ? std::string(*given) : lane_.make_request_id();
}

weft::services& exchange::get() {
  if (!services_) {
    services_.emplace(*lane_.options().services, service_scope::per_request);
    services_->provide(*request_);
    services_->provide(writer_.answer());
  }
  return *services_;
}

void exchange::answer_without_handler() {
  const request_head& head = asked_;
  response& answer = writer_.answer();
  answer.status(match_.status);
  if (match_.status == 405) {
    const std::string allowed = lane_.routes().allowed(head.path);
    answer.header("Allow", allowed + ", OPTIONS");
    if (head.method == "OPTIONS") {
      answer.status(204);
      return;
    }
  }
  answer.body(std::string(reason_phrase(answer.status())) + "\n");
}

void exchange::call(std::size_t place) {
  response& answer = writer_.answer();
  if (place < match_.around.size()) {
    next behind(*this, place + 1);
    return (*match_.around[place])(*request_, answer, behind);
  }
  if (match_.work == nullptr) return answer_without_handler();
  (*match_.work)(*request_, answer);
}

void exchange::answer(std::size_t place) {
  try {
    call(place);
  } catch (const cancelled&) {
    throw;
  } catch (...) {
    answer_exception();
  }
}

/// In the trace that the request belongs to.
void exchange::run_traced() {
  const http::trace_headers believed = lane_.options().trace_headers;
  if (believed == http::trace_headers::none) return run_in_span();
  trace::incoming came;
  bool has_any = false;
  for (const header& one : asked_.fields) {
    const bool is_trace = same_name(one.name, "traceparent") || same_name(one.name, "tracestate");
    if (!is_trace && (believed != http::trace_headers::trace_and_baggage || !same_name(one.name, "baggage")))
      continue;
    came.add(one.name, one.value);
    has_any = true;
  }
  if (!has_any) return run_in_span();
  came.on(context::capture()).run([this] { run_in_span(); });
}

void exchange::run_in_span() {
  if (!trace::detail::is_recording.load(std::memory_order_relaxed)) return run_bounded();
  const std::string_view name = match_.pattern.empty() ? std::string_view("http") : match_.pattern;
  trace::span here(name, {{"http.request.method", request_->method()}, {"url.path", request_->path()}},
                   {.kind = trace::span_kind::server});
  run_bounded();
  const int status = writer_.answer().status();
  here.set({{"http.response.status_code", status}});
  if (status >= 500) here.status(trace::span_status::error, reason_phrase(status));
}

/// The edge where a handler's exceptions end. Only a cancellation from outside passes.
void exchange::run_bounded() {
  weft::detail::cancel_state* const around = weft::detail::current_cancel_state();
  cancel_scope bound(std::min(own_deadline(), client_deadline()));
  writer_.set_handler_scope({.own = weft::detail::current_cancel_state(), .around = around});
  bound_ = &bound;
  struct bounded {
    exchange& of;
    ~bounded() {
      of.writer_.set_handler_scope({});
      of.bound_ = nullptr;
    }
  } const here{*this};
  if (client_left_) bound.cancel(cancel_reason::requested);
  try {
    answer(0);
  } catch (const cancelled& stop) {
    if (client_left_ && stop.reason() == cancel_reason::requested) {
      log::debug("http: the client left before its answer", {{"target", request_->target()}});
      ++lane_.counters().abandoned_requests;
      return writer_.cut_off();
    }
    if (stop.reason() != cancel_reason::deadline || !bound.deadline_passed()) throw;
    log::error("http: the handler took too long",
               {{"method", request_->method()}, {"target", request_->target()}});
    writer_.fail(503, "the request took too long");
  }
}

/// Makes the exception that is being handled the answer.
void exchange::answer_exception() {
  response& answer = writer_.answer();
  try {
    throw;
  } catch (const exit_exception& left) {
    log::debug("http: the handler left by exit", {{"status", left.status_code()}});
    if (!response_access::touched(answer)) writer_.fail(500, reason_phrase(500));
  } catch (const status_error& said) {
    writer_.fail(said.status(), said.what());
    if (!writer_.is_over() && !answer.is_streaming()) {
      for (const auto& [name, value] : said.headers()) answer.add_header(name, value);
    }
  } catch (const connection_lost& lost) {
    log::debug("http: a WebSocket ended", {{"why", lost.what()}});
  } catch (...) {
    if (body_.is_cut_off()) {
      log::debug("http: the client left in the middle of a request", {{"target", request_->target()}});
      return writer_.cut_off();
    }
    if (writer_.has_lost_peer()) {
      log::write_exception(log::level::debug, "http: the client left in the middle of its answer",
                           std::current_exception(), {{"target", request_->target()}});
      ++lane_.counters().abandoned_requests;
      return writer_.cut_off();
    }
    log::write_exception(log::level::error, "http: the handler failed", std::current_exception(),
                         {{"method", request_->method()}, {"target", request_->target()}});
    writer_.fail(500, reason_phrase(500));
  }
}

/// As request_timeout_header says; no_deadline where it says nothing.
steady_time exchange::client_deadline() const {
  const std::optional<std::string_view> said = find_header(asked_.fields, request_timeout_header);
  if (!said) return no_deadline;
  const auto time = from_text<std::uint32_t>(*said);
  return time ? steady_clock::now() + std::chrono::milliseconds(*time) : no_deadline;
}

/// A handler that reads the body itself has the time for both.
steady_time exchange::own_deadline() const {
  const server_options& all = lane_.options();
  const route_options& own = match_.options;
  if (own.handler_timeout || !own.streams_body)
    return bound_until(own.handler_timeout.value_or(all.handler_timeout));
  const auto body = own.body_timeout.value_or(all.body_timeout);
  if (body.count() == 0 || all.handler_timeout.count() == 0) return no_deadline;
  return bound_until(body + all.handler_timeout);
}

}  // namespace weft::inline v1::http::detail
