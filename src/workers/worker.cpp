#include "workers/worker.hpp"

#include <csignal>
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
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/self.hpp>

#include "workers/called_function.hpp"
#include "workers/frame_stream.hpp"
#include "workers/hung_alarm.hpp"

namespace weft::workers::detail {

namespace {

// Ends without destructors of what the process inherited, but with what was printed.
[[noreturn]] void leave(int status) noexcept {
  log::flush(std::chrono::milliseconds(100));
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

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
  worker_loop(frame_stream& stream, const worker_program& program, const hello_frame& hello)
      : stream_(stream),
        program_(program),
        answer_bytes_max_(hello.message_bytes_max),
        name_(program.client_decides ? hello.settings.name : program.settings.name),
        alarm_(program.client_decides ? hello.settings.hung_after : program.settings.hung_after) {}

  void run() {
    stream_.attach();
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
        released();
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
      const hung_alarm::watch watched(alarm_);
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
      value = call_function(program_, call, link);
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

  // A failed setup is tried again by the next call.
  void set_up() {
    const std::lock_guard lock(setting_up_);
    if (set_up_ || !program_.setup) return;
    try {
      program_.setup(*program_.provided);
    } catch (const std::exception& failed) {
      std::throw_with_nested(
          error(errc::unavailable, std::string("workers: set up the worker: ") + failed.what()));
    }
    set_up_ = true;
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
    if (reply.failure.where.empty()) {
      reply.failure.where = "worker " + std::to_string(::getpid()) + (name_.empty() ? "" : " of " + name_);
    }
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

  void released() {
    const auto& done = program_.offered->checkout_done();
    if (!done) return;
    try {
      done();
    } catch (const std::exception& failed) {
      log::error("workers: checkout_done failed; the worker ends", {{"error", failed.what()}});
      leave(EXIT_FAILURE);
    } catch (const unwinding& ended) {
      log::error("workers: checkout_done failed; the worker ends", {{"error", ended.what()}});
      leave(EXIT_FAILURE);
    }
  }

  frame_stream& stream_;
  const worker_program& program_;
  std::uint64_t answer_bytes_max_;
  std::string name_;
  hung_alarm alarm_;
  weft::mutex writing_;
  weft::mutex setting_up_;
  bool set_up_ = false;                                           // guarded by setting_up_
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

// The client's first words, read before there is a runtime. Nothing where it went or is no weft client.
std::optional<hello_frame> read_client_hello(frame_stream& stream) {
  std::string magic;
  if (stream.read_raw(magic, native_magic.size(), no_deadline) != stream_end::ok) return std::nullopt;
  if (magic != native_magic) {
    std::fprintf(stderr, "weft-worker %d: the client does not speak the native protocol\n",
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

// A pipe from the client's program, or inherited from the fork server: its end is the worker's.
void watch_keep_alive(frame_stream& stream, int inherited) {
  auto& received = stream.descriptors();
  const int reader = received.empty() ? inherited : received.front().get();
  if (reader < 0) return;
  int watch = -1;
  process::die_with_pipe(reader, watch);
  if (received.empty()) ::close(reader);
  received.clear();
}

// False, and the client is told why, where the system refuses a limit.
bool take_limits(frame_stream& stream, const process::limits& wanted) {
  try {
    process::apply(wanted);
    return true;
  } catch (const error& refused) {
    bytes out;
    write_refused(out, refused.message());
    (void)stream.write(out, no_deadline);
    return false;
  }
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

}  // namespace

int run_worker(worker_descriptors descriptors, const worker_program& program) {
  std::signal(SIGXFSZ, SIG_IGN);  // a full file is an error of the write
  frame_stream stream(std::move(descriptors.connection), program.message_bytes_max + frame_extra_bytes);
  stream.attach();
  const auto hello = read_client_hello(stream);
  if (!hello) return EXIT_SUCCESS;
  const auto& settings = program.client_decides ? hello->settings : program.settings;
  process::set_title("weft-worker" + (settings.name.empty() ? "" : ":" + settings.name));
  watch_keep_alive(stream, descriptors.keep_alive);
  process::end_before_parent_without_memory();
  if (!take_limits(stream, settings.limits)) return EXIT_FAILURE;
  say_welcome(stream, program, std::move(descriptors.monitor));
  stream.detach();
  run_options how;
  if (settings.stack_bytes != 0) how.stack_bytes = settings.stack_bytes;
  return weft::run([&] { worker_loop(stream, program, *hello).run(); }, how);
}

}  // namespace weft::workers::detail
