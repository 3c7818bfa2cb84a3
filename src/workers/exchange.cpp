#include "workers/exchange.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/errors.hpp>

namespace weft::workers::detail {

namespace {

// A called function that stops when it is asked to keeps its worker alive.
constexpr auto stop_within = std::chrono::milliseconds(20);

std::string in_quotes(std::string_view text) { return std::string(1, '"').append(text).append(1, '"'); }

std::string name_of(const outgoing_call& call) {
  if (call.kind == call_kind::interface_name) return in_quotes(call.target);
  const bool has_name = !call.target.empty() && call.target.front() != '@';
  return std::string("of closure ").append(has_name ? call.target : "without a name");
}

std::string seconds_text(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", std::chrono::duration<double>(time).count());
  return text;
}

[[noreturn]] void throw_too_large(const std::string& name, std::size_t bytes, std::size_t bytes_max) {
  throw error(errc::too_large, "workers: call " + name + ": its arguments have " + std::to_string(bytes) +
                                   " bytes, which is more than message_bytes_max, " +
                                   std::to_string(bytes_max) + "; pass a file or a smaller part");
}

// What became of a worker that did not answer in time.
std::string describe_stop(worker_link& link, const client_options& options) {
  if (link.handle == nullptr) {
    link.connection.close();
    return "its connection was closed";
  }
  const auto status = end_process(link, options, std::chrono::milliseconds(0));
  return "worker " + std::to_string(link.handle->pid()) + " was stopped (" + to_string(status) + ")";
}

[[noreturn]] void throw_timed_out(pool& pool, worker_link& link, const std::string& name,
                                  const call_bound& bound) {
  pool.count_timeout();
  const std::string within = bound.time ? "within " + seconds_text(*bound.time) : "before its deadline";
  throw call_timed_out(
      "workers: call " + name + ": no answer " + within + "; " + describe_stop(link, pool.options()), false);
}

// Does `work` with the worker of a link, which is gone from the pool where it throws.
template <typename Work>
auto with_link(pool& pool, std::unique_ptr<worker_link>& link, Work&& work) {
  try {
    return work(*link);
  } catch (const worker_died&) {
    pool.forget(std::move(link), true);
    throw;
  } catch (...) {
    pool.forget(std::move(link), false);
    throw;
  }
}

// One call on one worker.
class running_exchange {
 public:
  running_exchange(pool& pool, worker_link& link, const outgoing_call& call, call_bound bound)
      : pool_(pool), link_(link), call_(call), bound_(bound), id_(link.next_call++) {}

  reply_frame run(wire::frame& got) {
    if (call_.arguments.size() > link_.message_bytes_max) {
      keeps_worker_ = true;
      throw_too_large(name_of(call_), call_.arguments.size(), link_.message_bytes_max);
    }
    try {
      send_call();
      return read_reply(got);
    } catch (const unwinding&) {
      if (!stops_when_asked()) end_process(link_, pool_.options(), std::chrono::milliseconds(0));
      throw;
    }
  }

  /// After an error: can the worker go on?
  bool keeps_worker() const noexcept { return keeps_worker_; }

 private:
  void send_call() {
    call_frame frame;
    frame.id = id_;
    frame.remaining = remaining();
    frame.kind = call_.kind;
    frame.has_link = call_.link != nullptr;
    frame.context = call_.context;
    frame.target = call_.target;
    frame.arguments = call_.arguments;
    send(frame);
  }

  // A closed connection shows again when the reply is read, behind what the worker said before.
  template <typename Frame>
  void send(const Frame& frame) {
    bytes out;
    write_frame(out, frame);
    if (link_.stream.write(out, bound_.until) == stream_end::timed_out)
      throw_timed_out(pool_, link_, name_of(call_), bound_);
  }

  std::optional<std::chrono::nanoseconds> remaining() const {
    const auto last = std::min(bound_.until, weft::deadline().value_or(no_deadline));
    if (last == no_deadline) return std::nullopt;
    return std::max<std::chrono::nanoseconds>(last - steady_clock::now(), std::chrono::nanoseconds(0));
  }

  reply_frame read_reply(wire::frame& got) {
    while (true) {
      const auto end = link_.stream.read(got, bound_.until);
      if (end == stream_end::timed_out) throw_timed_out(pool_, link_, name_of(call_), bound_);
      if (end == stream_end::closed) throw death_of(link_, pool_.options(), "in the call " + name_of(call_));
      if (got.request_id != id_) continue;
      switch (static_cast<frame_type>(got.type)) {
        case frame_type::answer:
        case frame_type::failed:
        case frame_type::exited:
        case frame_type::declined:
          return detail::read_reply(got);
        case frame_type::ask:
          answer(read_ask(got));
          break;
        default:
          break;  // of a later version, for those who asked for it
      }
    }
  }

  void answer(const ask_frame& question) {
    told_frame told;
    told.id = id_;
    std::string text;
    try {
      if (call_.link == nullptr)
        throw error(errc::not_found, "workers: a run object asks, but nobody listens");
      text = question.is_about ? call_.link->about(question.object)
                               : call_.link->ask(question.object, question.message);
      told.answer = text;
    } catch (const unwinding&) {
      throw;
    } catch (...) {
      told.ok = false;
      told.failure = failure::from(std::current_exception());
    }
    send(told);
  }

  // Asks the called function to give up; true if it did so at once and the worker can go on.
  bool stops_when_asked() noexcept {
    try {
      return shield([&] {
        bytes out;
        write_plain(out, frame_type::cancel, id_);
        const auto until = deadline_after(stop_within);
        if (link_.stream.write(out, until) != stream_end::ok) return false;
        wire::frame got;
        while (link_.stream.read(got, until) == stream_end::ok) {
          if (got.request_id != id_ || got.type < static_cast<std::uint8_t>(frame_type::answer) ||
              static_cast<frame_type>(got.type) > frame_type::failed) {
            continue;
          }
          log::emit(detail::read_reply(got).log);
          keeps_worker_ = true;
          return true;
        }
        return false;
      });
    } catch (...) {
      return false;
    }
  }

  pool& pool_;
  worker_link& link_;
  const outgoing_call& call_;
  call_bound bound_;
  std::uint64_t id_;
  bool keeps_worker_ = false;
};

}  // namespace

void prepare(pool& pool, std::unique_ptr<worker_link>& link, call_bound bound, bool needs_native) {
  if (link == nullptr) link = pool.acquire(bound.until);
  if (needs_native && link->messages) throw_not_native(pool.options());
  with_link(pool, link, [&](worker_link& with) {
    with.connection.attach();
    agree(with, pool.options(), pool.server(), needs_native, bound.until);
    if (!with.messages) await_welcome(with, pool.options(), bound.until);
  });
}

reply_frame exchange(pool& pool, std::unique_ptr<worker_link>& link, const outgoing_call& call,
                     call_bound bound, wire::frame& got) {
  pool.count_call();
  running_exchange running(pool, *link, call, bound);
  try {
    auto reply = running.run(got);
    if (reply.type == frame_type::failed) link->failed = true;
    if (reply.type == frame_type::exited) pool.forget(std::move(link), false);
    return reply;
  } catch (const worker_died&) {
    pool.forget(std::move(link), true);
    throw;
  } catch (...) {
    if (!running.keeps_worker()) pool.forget(std::move(link), false);
    throw;
  }
}

compat::reply exchange_compatibly(pool& pool, std::unique_ptr<worker_link>& link, std::string_view name,
                                  std::string_view arguments, call_bound bound) {
  const std::string quoted = in_quotes(name);
  if (arguments.size() > link->message_bytes_max) {
    throw_too_large(quoted, arguments.size(), link->message_bytes_max);
  }
  pool.count_call();
  return with_link(pool, link, [&](worker_link& with) {
    // A closed connection shows again when the reply is read, behind what the worker said before.
    wire::json_value message;
    auto end = with.messages->write(compat::write_call(name, arguments), bound.until);
    if (end != stream_end::timed_out) end = with.messages->read(message, bound.until);
    if (end == stream_end::timed_out) throw_timed_out(pool, with, quoted, bound);
    if (end == stream_end::closed) throw death_of(with, pool.options(), "in the call " + quoted);
    auto reply = compat::read_reply(std::move(message));
    if (!reply.ok) with.failed = true;
    return reply;
  });
}

bytes value_of(const reply_frame& reply) {
  switch (reply.type) {
    case frame_type::failed:
      // The function gave up at the deadline: for a task whose own deadline that was, it is no error.
      if (reply.failure.code == errc::deadline_exceeded) weft::checkpoint();
      reply.failure.raise();
    case frame_type::exited:
      throw worker_exited("workers: the called function asked to exit with status " +
                              std::to_string(reply.status) + "; its worker has ended",
                          reply.status);
    case frame_type::declined:
      throw error(errc::unsupported,
                  "workers: the closure cannot run in the worker: " + reply.refusal.message);
    default:
      return to_bytes(reply.value);
  }
}

}  // namespace weft::workers::detail
