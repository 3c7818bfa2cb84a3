#include "workers/native_worker.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include <unistd.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/process/self.hpp>

#include "core/probe.hpp"
#include "workers/called_function.hpp"
#include "workers/frame_writer.hpp"
#include "workers/reply_bounds.hpp"
#include "workers/served_call.hpp"
#include "workers/server_link.hpp"
#include "workers/throw_stack.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// A worker whose calls take longer than this sends each answer before it begins the next call; else those of
// calls that came together go out together.
constexpr auto quick_call = std::chrono::microseconds(50);

// After its goodbye a worker goes when no call has come for so long.
constexpr auto linger_time = std::chrono::seconds(1);

class worker_loop {
 public:
  worker_loop(frame_stream& stream, worker_duties& duties, std::uint64_t answer_bytes_max)
      : stream_(stream), writer_(stream), duties_(duties), answer_bytes_max_(answer_bytes_max) {}

  // Calls may still run when it is over, and use all of this: nobody waits for them, and nothing is unwound.
  [[noreturn]] void run() {
    duties_.when_leaving([this] { say_goodbye(); });
    try {
      serve_all();
    } catch (const error& unreadable) {
      const bool is_clients = unreadable.code() == errc::malformed || unreadable.code() == errc::too_large;
      std::fprintf(stderr, "weft-worker %d: %s%s\n", static_cast<int>(::getpid()),
                   is_clients ? "the client cannot be understood: " : "", unreadable.what());
      leave(is_clients ? client_at_fault : EXIT_FAILURE);
    }
    leave(EXIT_SUCCESS);
  }

 private:
  void serve_all() {
    while (true) {
      collects_answers_ = true;
      while (auto next = stream_.next()) serve(std::move(*next));
      collects_answers_ = false;
      flush_aside();
      if (stream_.fill(no_deadline) != stream_end::ok) return;
    }
  }

  // A client may send many calls before it reads an answer: this goes on reading them meanwhile. Who writes
  // already takes along what there is.
  void flush_aside() {
    if (!writer_.has_posted()) return;
    if (flushing_.joinable() && !flushing_.done()) return;
    flushing_ = weft::go_now([this] { shield([&] { (void)writer_.flush(no_deadline); }); });
  }

  void serve(wire::frame got) {
    switch (static_cast<frame_type>(got.type)) {
      case frame_type::call:
        start_call(std::move(got));
        break;
      case frame_type::cancel:
        if (const auto call = find_call(got.request_id)) call->fiber().cancel();
        break;
      case frame_type::release:
        duties_.end_checkout();
        break;
      case frame_type::rest:
        rest(deadline_after(read_rest(got)));
        break;
      default:
        if (const auto call = find_call(got.request_id)) call->take(std::move(got));
    }
  }

  // The client takes no further checkout when it has seen this. A call that was on its way is still served,
  // so the worker lingers until none has come for a while, or the client has closed.
  void say_goodbye() {
    if (std::exchange(leaving_, true)) return;
    bytes out;
    write_plain(out, frame_type::goodbye, 0);
    shield([&] { (void)writer_.send(std::move(out), no_deadline, false); });
    linger();
  }

  // Without a call until then the worker is no longer needed.
  void rest(steady_time until) {
    duties_.rest();
    rests_until_ = until;
    begun_before_rest_ = begun_;
    if (std::exchange(watches_rest_, true)) return;
    resting_ = weft::go([this] {
      auto seen = rests_until_;
      do {
        seen = rests_until_;
        weft::sleep_until(seen);
      } while (seen != rests_until_);
      watches_rest_ = false;
      if (begun_ == begun_before_rest_ && calls_.empty()) say_goodbye();
    });
  }

  void linger() {
    lingering_ = weft::go([this] {
      auto seen = begun_;
      do {
        seen = begun_;
        weft::sleep_for(linger_time);
      } while (seen != begun_ || !calls_.empty() || duties_.is_in_checkout());
      leave(EXIT_SUCCESS);
    });
  }

  // Its reply waits for room, and so does all that the client says next: who calls on without reading what
  // comes back is held up.
  void refuse_call(std::uint64_t id, std::string_view target) {
    reply_frame reply;
    reply.id = id;
    failure why;
    why.code = errc::resource_exhausted;
    why.message = "workers: call \"" + fit(target, name_bytes_max) + "\": " + std::to_string(calls_.size()) +
                  " calls run in this worker, which takes no more at a time (max_calls); try again later";
    why.when = wall_clock::now();
    fail(reply, std::move(why));
    send_reply(reply, {});
  }

  // Calls whose answers wait until the client reads have ended: for those it is held up and not refused.
  bool has_place_for_call() {
    const std::size_t most = duties_.program().max_calls;
    if (calls_.size() < most) return true;
    (void)writer_.wait_for_room(no_deadline);
    weft::yield();  // they come first
    return calls_.size() < most;
  }

  void start_call(wire::frame got) {
    if (slow_calls_) flush_aside();
    auto call =
        std::make_shared<served_call>(std::move(got), writer_,
                                      message_bounds{.here_bytes_max = duties_.program().message_bytes_max,
                                                     .there_bytes_max = answer_bytes_max_});
    const std::uint64_t id = call->call().id;
    if (calls_.count(id) != 0) throw error(errc::malformed, "workers: read a call: one with its id runs");
    if (!has_place_for_call()) return refuse_call(id, call->call().target);
    go_options how{.name = std::string(call->call().target),
                   .context = context::from_wire(call->call().context)};
    calls_.emplace(id, call);
    ++begun_;
    const auto start = steady_clock::now();
    // At once, so that a cancel that came along finds a call that runs and will be answered.
    call->fiber() = weft::go_now([this, call] { run_call(*call); }, std::move(how));
    slow_calls_ = steady_clock::now() - start > quick_call;
    if (call->fiber().done()) calls_.erase(id);
  }

  std::shared_ptr<served_call> find_call(std::uint64_t id) const {
    const auto at = calls_.find(id);
    return at == calls_.end() ? nullptr : at->second;
  }

  void run_call(served_call& call) {
    reply_frame reply;
    reply.id = call.call().id;
    bytes value;
    {
      const log::collector collected;
      const worker_duties::running_call counted(duties_);
      WEFT_PROBE(call__start, reply.id, call.call().target.data(), call.call().target.size());
      execute(call, reply, value);
      WEFT_PROBE(call__end, reply.id, static_cast<int>(reply.type == frame_type::answer));
      reply.log = const_cast<log::collector&>(collected).take_all();
    }
    send_reply(reply, value);
    if (reply.type == frame_type::exited) leave(EXIT_SUCCESS);
    // Not while the fiber has yet to be put there: start_call sees to that.
    if (call.fiber().joinable()) calls_.erase(reply.id);
  }

  // The edge: whatever the called function ends with becomes a reply.
  void execute(served_call& call, reply_frame& reply, bytes& value) {
    const throw_watch watched(duties_.error_stacks());
    try {
      const cancel_scope bounded(call.until());
      const scoped_value here(in_server, true);
      set_up();
      value = call_function(duties_.program(), call);
      reply.type = frame_type::answer;
    } catch (const exit_exception& left) {
      reply.type = frame_type::exited;
      reply.status = left.status_code();
    } catch (const declined& refused) {
      reply.type = frame_type::declined;
      reply.refusal = refused.why();
    } catch (const cancelled& stopped) {
      fail(reply, describe(stopped));
    } catch (...) {
      auto why = failure::from(std::current_exception());
      if (why.stack.empty()) why.stack = watched.stack_of(std::current_exception());
      fail(reply, std::move(why));
    }
  }

  void set_up() {
    try {
      duties_.set_up();
    } catch (const std::exception& failed) {
      std::throw_with_nested(
          error(errc::unavailable, std::string("workers: set up the worker: ") + failed.what()));
    }
  }

  static failure describe(const cancelled& stopped) {
    failure why;
    const bool late = stopped.reason() == cancel_reason::deadline;
    why.code = late ? errc::deadline_exceeded : errc::cancelled;
    if (late) why.type = "weft.workers.call_timed_out";
    why.message = std::string("workers: the called function was given up in its worker: ") + stopped.what();
    why.when = wall_clock::now();
    return why;
  }

  void fail(reply_frame& reply, failure why) {
    reply.type = frame_type::failed;
    reply.failure = std::move(why);
    if (reply.failure.where.empty()) reply.failure.where = duties_.where();
  }

  void send_reply(reply_frame& reply, const bytes& value) {
    if (value.size() > answer_bytes_max_) {
      failure why;
      why.code = errc::too_large;
      why.message = "workers: answer a call: " + std::to_string(value.size()) +
                    " bytes are more than the client's message_bytes_max, " +
                    std::to_string(answer_bytes_max_);
      fail(reply, std::move(why));
    }
    if (reply.type == frame_type::answer) reply.value = as_text(value);
    fit(reply);
    bytes out;
    write_frame(out, reply);
    const bool is_last = reply.type == frame_type::exited;
    shield([&] {
      (void)writer_.wait_for_room(no_deadline);
      writer_.post(std::move(out));
      if (!collects_answers_ || is_last || writer_.is_full()) (void)writer_.flush(no_deadline);
    });
  }

  frame_stream& stream_;
  frame_writer writer_;
  worker_duties& duties_;
  std::uint64_t answer_bytes_max_;
  bool collects_answers_ = false;  // calls that came together are being started
  bool slow_calls_ = false;        // as the last one was
  bool leaving_ = false;           // has said goodbye
  steady_time rests_until_{};      // unless a call comes
  std::uint64_t begun_before_rest_ = 0;
  bool watches_rest_ = false;
  weft::fiber<void> flushing_;
  weft::fiber<void> resting_;
  weft::fiber<void> lingering_;
  std::uint64_t begun_ = 0;                                      // calls
  std::map<std::uint64_t, std::shared_ptr<served_call>> calls_;  // by id, while they run
};

std::string refusal_of(const hello_frame& hello) {
  if (hello.version != protocol_version) {
    return "protocol version " + std::to_string(hello.version) + " is not spoken here; this end speaks " +
           std::to_string(protocol_version);
  }
  if (hello.same_build_only && hello.build_id != process::build_id()) {
    return "the worker is of another build of the program (worker " + process::build_id() + ", client " +
           hello.build_id + "); restart the program, so that both are of the new one";
  }
  return {};
}

}  // namespace

std::optional<hello_frame> read_client_hello(frame_stream& stream) {
  std::string magic;
  if (stream.read_raw(magic, native_magic.size(), no_deadline) != stream_end::ok) return std::nullopt;
  if (magic != native_magic) {
    std::fprintf(stderr, "weft-worker %d: the client begins as none of this protocol does\n",
                 static_cast<int>(::getpid()));
    return std::nullopt;
  }
  wire::frame got;
  if (stream.read(got, no_deadline) != stream_end::ok) return std::nullopt;
  auto hello = read_hello(got);
  const auto refusal = refusal_of(hello);
  if (refusal.empty()) return hello;
  bytes out;
  write_refused(out, refusal);
  (void)stream.write(out, no_deadline);
  return std::nullopt;
}

void say_welcome(frame_stream& stream, const worker_program& program, const worker_settings& settings,
                 unique_fd monitor) {
  welcome_frame welcome;
  welcome.message_bytes_max = program.message_bytes_max;
  welcome.build_id = process::build_id();
  welcome.pid = ::getpid();
  welcome.wants_release = static_cast<bool>(program.offered->checkout_done()) || program.follows_checkouts ||
                          settings.recycle != recycling{};
  bytes out;
  write_frame(out, welcome);
  std::vector<int> along;
  if (monitor) along.push_back(monitor.get());
  (void)stream.write_with(out, along, no_deadline);
}

void serve_natively(frame_stream& stream, worker_duties& duties, const hello_frame& hello) {
  worker_loop(stream, duties, hello.message_bytes_max).run();
}

}  // namespace weft::inline v1::workers::detail
