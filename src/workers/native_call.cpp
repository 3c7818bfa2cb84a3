#include "workers/native_call.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/errors.hpp>

#include "core/probe.hpp"
#include "workers/reply_bounds.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// A call that nobody waits for may hold up so long who drops it, until the worker takes in that it is
// cancelled.
constexpr auto abandon_within = std::chrono::milliseconds(20);

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

// What became of a worker that did not answer in time.
std::string describe_stop(worker_link& link, const client_options& options, const std::string& name) {
  const auto status = end_process(link, options, "it was stopped, as the call " + name + " took too long");
  if (link.handle == nullptr) return "its connection was closed";
  return "worker " + std::to_string(link.pid()) + " was stopped (" + to_string(status) + ")";
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return std::string(1, '"').append(fit(text, name_bytes_max)).append(1, '"');
}

void throw_too_large(const std::string& name, std::size_t bytes, std::size_t bytes_max) {
  throw error(errc::too_large, "workers: call " + name + ": what is to be sent has " + std::to_string(bytes) +
                                   " bytes, which is more than message_bytes_max, " +
                                   std::to_string(bytes_max) + "; pass a file, or write them to the call");
}

void throw_timed_out(pool& pool, worker_link& link, const std::string& name, const call_bound& bound) {
  pool.count_timeout();
  const std::string within = bound.time ? "within " + seconds_text(*bound.time) : "before its deadline";
  throw call_timed_out(
      "workers: call " + name + ": no answer " + within + "; " + describe_stop(link, pool.options(), name),
      false);
}

native_call::native_call(pool& pool, std::shared_ptr<worker_link> link, call_bound bound,
                         const std::function<void(const progress&)>* on_progress)
    : pool_(pool),
      link_(std::move(link)),
      bound_(bound),
      on_progress_(on_progress),
      slot_(on_progress != nullptr && *on_progress),
      pieces_(pool.options().message_bytes_max) {
  link_->channel->open(slot_);
}

native_call::~native_call() {
  if (sent_ && !replied_ && !link_->over) abandon();
  link_->channel->close(slot_);
}

template <typename Work>
auto native_call::giving_up_if_cancelled(Work&& work) {
  try {
    return work();
  } catch (const unwinding&) {
    if (!replied_ && !link_->over && !stops_when_asked()) {
      end_process(*link_, pool_.options(), "it was stopped, as the call " + name_ + " was cancelled");
    }
    throw;
  }
}

void native_call::send(const outgoing_call& call) {
  name_ = name_of(call);
  if (call.arguments.size() > link_->message_bytes_max) {
    throw_too_large(name_, call.arguments.size(), link_->message_bytes_max);
  }
  asked_ = call.link;
  log_ = call.log;
  call_frame frame;
  frame.id = slot_.id;
  frame.remaining = remaining();
  frame.kind = call.kind;
  frame.has_link = call.link != nullptr;
  frame.context = call.context;
  frame.target = call.target;
  frame.arguments = call.arguments;
  bytes out;
  write_frame(out, frame);
  // Arguments that are not too long may have a target that is.
  if (out.size() - std::min(out.size(), frame_extra_bytes) > link_->message_bytes_max) {
    throw_too_large(name_, out.size(), link_->message_bytes_max);
  }
  sent_ = true;
  link_->channel->count_sent();
  WEFT_PROBE(call__sent, slot_.id, frame.target.data(), frame.target.size());
  giving_up_if_cancelled([&] { send_frames(std::move(out)); });
}

// A closed connection shows again when the reply is read, behind what the worker said before.
void native_call::send_frames(bytes frames) {
  if (link_->channel->send(std::move(frames), bound_.until) == stream_end::timed_out) throw_timed_out();
}

std::optional<std::chrono::nanoseconds> native_call::remaining() const {
  const auto last = std::min(bound_.until, weft::deadline().value_or(no_deadline));
  if (last == no_deadline) return std::nullopt;
  return std::max<std::chrono::nanoseconds>(last - steady_clock::now(), std::chrono::nanoseconds(0));
}

void native_call::throw_timed_out() { detail::throw_timed_out(pool_, *link_, name_, bound_); }

reply_frame native_call::finish(wire::frame& got) {
  pieces_.pass_over();
  giving_up_if_cancelled([&] {
    grant_room();
    while (!replied_) take_frame();
  });
  got = std::move(reply_);
  return read_reply(got);
}

void native_call::take_frame() {
  arrived_frame arrived;
  stream_end end{};
  try {
    end = link_->channel->receive(slot_, arrived, bound_.until);
  } catch (const error&) {
    link_->break_off();
    throw;
  }
  if (end == stream_end::timed_out) throw_timed_out();
  if (end == stream_end::closed) throw death_of(*link_, pool_.options(), "in the call " + name_);
  auto& got = arrived.frame;
  switch (static_cast<frame_type>(got.type)) {
    case frame_type::answer:
    case frame_type::failed:
    case frame_type::exited:
    case frame_type::declined:
      replied_ = true;
      reply_ = std::move(got);
      break;
    case frame_type::ask:
      answer(read_ask(got));
      break;
    case frame_type::progress:
      tell_progress(read_progress(got), arrived.dropped);
      break;
    case frame_type::data_out:
      take_part(std::move(got));
      break;
    case frame_type::data_out_end:
      pieces_.end();
      break;
    default:
      break;  // none that is kept for a call
  }
}

// Notes come only where somebody wants to know.
void native_call::tell_progress(const progress_frame& said, std::uint64_t dropped) {
  (*on_progress_)({said.done, std::string(said.text), dropped});
}

void native_call::take_part(wire::frame part) {
  try {
    pieces_.add(std::move(part.payload), (part.flags & more_follows) == 0);
  } catch (const error&) {
    link_->break_off();
    throw;
  }
  grant_room();
}

void native_call::grant_room() {
  const auto granted = pieces_.take_grant();
  if (granted == 0) return;
  bytes out;
  write_credit(out, frame_type::credit, slot_.id, granted);
  send_frames(std::move(out));
}

std::optional<bytes> native_call::read() {
  giving_up_if_cancelled([&] {
    while (!pieces_.has_piece() && !pieces_.is_ended() && !replied_) take_frame();
  });
  auto piece = pieces_.take();
  if (piece && !replied_) giving_up_if_cancelled([&] { grant_room(); });
  return piece;
}

bool native_call::write(std::span<const std::byte> piece) {
  return giving_up_if_cancelled([&] { return write_parts(piece); });
}

bool native_call::write_parts(std::span<const std::byte> piece) {
  do {
    std::size_t room = 0;
    const auto end =
        link_->channel->take_room(slot_, std::min(piece.size(), stream_part_bytes), room, bound_.until);
    if (end == stream_end::timed_out) throw_timed_out();
    if (end == stream_end::closed) return false;
    bytes out;
    write_part(out, frame_type::data, slot_.id, piece.first(room), room == piece.size());
    send_frames(std::move(out));
    piece = piece.subspan(room);
  } while (!piece.empty());
  return true;
}

void native_call::end_writing() {
  bytes out;
  write_plain(out, frame_type::data_end, slot_.id);
  giving_up_if_cancelled([&] { send_frames(std::move(out)); });
}

void native_call::answer(const ask_frame& question) {
  told_frame told;
  told.id = slot_.id;
  std::string text;
  try {
    if (asked_ == nullptr) throw error(errc::not_found, "workers: a run object asks, but nobody listens");
    text =
        question.is_about ? asked_->about(question.object) : asked_->ask(question.object, question.message);
    if (text.size() > link_->message_bytes_max) {
      throw error(errc::too_large, "workers: answer a run object: " + std::to_string(text.size()) +
                                       " bytes are more than the worker's message_bytes_max, " +
                                       std::to_string(link_->message_bytes_max));
    }
    told.answer = text;
  } catch (const unwinding&) {
    throw;
  } catch (...) {
    told.ok = false;
    told.failure = failure::from(std::current_exception());
    fit(told.failure);
  }
  bytes out;
  write_frame(out, told);
  send_frames(std::move(out));
}

// Asks the called function to give up; true if it did so at once and the worker can go on.
bool native_call::stops_when_asked() noexcept {
  try {
    return shield([&] {
      bytes out;
      write_plain(out, frame_type::cancel, slot_.id);
      const auto until = deadline_after(pool_.options().stop_grace);
      if (link_->channel->send(std::move(out), until) != stream_end::ok) return false;
      pieces_.pass_over();
      arrived_frame arrived;
      while (link_->channel->receive(slot_, arrived, until) == stream_end::ok) {
        auto& got = arrived.frame;
        const auto type = static_cast<frame_type>(got.type);
        if (type == frame_type::data_out) {
          take_part(std::exchange(got, {}));
          continue;
        }
        if (type == frame_type::exited) return false;
        if (type != frame_type::answer && type != frame_type::failed && type != frame_type::declined)
          continue;
        replied_ = true;
        reply_ = std::move(got);
        keep_log_of_stopped();
        return true;
      }
      return false;
    });
  } catch (...) {
    return false;
  }
}

void native_call::keep_log_of_stopped() {
  auto from_worker = detail::read_reply(reply_).log;
  if (log_ != nullptr) {
    log_->end(std::move(from_worker));
  } else {
    log::emit(std::move(from_worker));
  }
}

// Nobody waits: should the function not stop, the checkout's end ends the worker.
void native_call::abandon() noexcept {
  try {
    shield([&] {
      bytes out;
      write_plain(out, frame_type::cancel, slot_.id);
      if (link_->channel->send(std::move(out), deadline_after(abandon_within)) != stream_end::ok)
        link_->over = true;
    });
  } catch (...) {
    link_->over = true;
  }
}

std::string_view value_of(const reply_frame& reply) {
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
      return reply.value;
  }
}

}  // namespace weft::inline v1::workers::detail
