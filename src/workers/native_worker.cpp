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
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/process/self.hpp>

#include "workers/called_function.hpp"

namespace weft::workers::detail {

namespace {

// The bytes of a call, kept while it runs.
struct kept_call {
  wire::frame frame;
  call_frame call;  // views into frame
};

// A call that runs: its fiber, and what its run objects wait for.
struct running_call {
  weft::fiber<void> fiber;
  weft::mutex turn;  // one question at a time
  weft::event told;
  wire::frame answer;        // set before told
  std::size_t given_up = 0;  // questions whose answers nobody waits for any more; they come in order
};

class worker_loop {
 public:
  worker_loop(frame_stream& stream, worker_duties& duties, std::uint64_t answer_bytes_max)
      : stream_(stream), duties_(duties), answer_bytes_max_(answer_bytes_max) {}

  [[noreturn]] void run() {
    wire::frame got;
    while (stream_.read(got, no_deadline) == stream_end::ok) serve(std::move(got));
    // Nobody waits for calls that still run.
    leave(EXIT_SUCCESS);
  }

 private:
  void serve(wire::frame got) {
    switch (static_cast<frame_type>(got.type)) {
      case frame_type::call:
        start_call(std::move(got));
        break;
      case frame_type::cancel:
        if (const auto call = find_call(got.request_id)) call->fiber.cancel();
        break;
      case frame_type::told:
        if (const auto call = find_call(got.request_id)) {
          take_answer(*call, std::move(got));
        }
        break;
      case frame_type::release:
        duties_.end_checkout();
        break;
      default:
        break;  // of a later version, and not needed to answer calls
    }
  }

  void start_call(wire::frame got) {
    auto kept = std::make_shared<kept_call>();
    kept->frame = std::move(got);
    kept->call = read_call(kept->frame);
    const std::uint64_t id = kept->call.id;
    const auto until = kept->call.remaining ? deadline_after(*kept->call.remaining) : no_deadline;
    go_options how{.name = std::string(kept->call.target), .context = context::from_wire(kept->call.context)};
    auto state = std::make_shared<running_call>();
    calls_.insert_or_assign(id, state);
    // At once, so that a cancel that came along finds a call that runs and will be answered.
    state->fiber =
        weft::go_now([this, kept, until, state] { run_call(kept->call, until, *state); }, std::move(how));
    if (state->fiber.done()) calls_.erase(id);
  }

  static void take_answer(running_call& call, wire::frame got) {
    if (call.given_up > 0) {
      --call.given_up;
      return;
    }
    call.answer = std::move(got);
    call.told.set();
  }

  std::shared_ptr<running_call> find_call(std::uint64_t id) const {
    const auto at = calls_.find(id);
    return at == calls_.end() ? nullptr : at->second;
  }

  void run_call(const call_frame& call, steady_time until, running_call& state) {
    reply_frame reply;
    reply.id = call.id;
    bytes value;
    {
      const log::collector collected;
      const hung_alarm::watch watched(duties_.alarm());
      execute(call, until, state, reply, value);
      reply.log = const_cast<log::collector&>(collected).take_all();
    }
    send_reply(reply, value);
    if (reply.type == frame_type::exited) leave(EXIT_SUCCESS);
    // Not while the fiber has yet to be put there: start_call sees to that.
    if (state.fiber.joinable()) calls_.erase(call.id);
  }

  // Run objects of a call reach their makers in the client through it.
  class client_link final : public run_link {
   public:
    client_link(worker_loop& loop, std::uint64_t id, running_call& state)
        : loop_(loop), id_(id), state_(state) {}
    std::string about(std::string_view object) override { return exchange({id_, true, object, {}}); }
    std::string ask(std::string_view object, std::string_view message) override {
      return exchange({id_, false, object, message});
    }

   private:
    std::string exchange(const ask_frame& question) {
      const std::lock_guard turn(state_.turn);
      state_.told.reset();
      loop_.send(question);
      try {
        state_.told.wait();
      } catch (const unwinding&) {
        if (!state_.told.is_set()) ++state_.given_up;
        throw;
      }
      const auto told = read_told(state_.answer);
      if (!told.ok) told.failure.raise();
      return std::string(told.answer);
    }

    worker_loop& loop_;
    std::uint64_t id_;
    running_call& state_;
  };

  // The edge: whatever the called function ends with becomes a reply.
  void execute(const call_frame& call, steady_time until, running_call& state, reply_frame& reply,
               bytes& value) {
    client_link link(*this, call.id, state);
    try {
      const cancel_scope bounded(until);
      const scoped_value here(in_server, true);
      set_up();
      value = call_function(duties_.program(), call, link);
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
      fail(reply, failure::from(std::current_exception()));
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
    send(reply);
  }

  template <typename Frame>
  void send(const Frame& what) {
    bytes out;
    write_frame(out, what);
    shield([&] {
      const std::lock_guard lock(writing_);
      (void)stream_.write(out, no_deadline);
    });
  }

  frame_stream& stream_;
  worker_duties& duties_;
  std::uint64_t answer_bytes_max_;
  weft::mutex writing_;
  std::map<std::uint64_t, std::shared_ptr<running_call>> calls_;  // by id, while they run
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

void say_welcome(frame_stream& stream, const worker_program& program, unique_fd monitor) {
  welcome_frame welcome;
  welcome.message_bytes_max = program.message_bytes_max;
  welcome.build_id = process::build_id();
  welcome.pid = ::getpid();
  welcome.wants_release = static_cast<bool>(program.offered->checkout_done());
  bytes out;
  write_frame(out, welcome);
  std::vector<int> along;
  if (monitor) along.push_back(monitor.get());
  (void)stream.write_with(out, along, no_deadline);
}

void serve_natively(frame_stream& stream, worker_duties& duties, const hello_frame& hello) {
  worker_loop(stream, duties, hello.message_bytes_max).run();
}

}  // namespace weft::workers::detail
