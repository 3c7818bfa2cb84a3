#include "workers/link.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <mutex>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/stream.hpp>
#include <weft/process/self.hpp>
#include <weft/workers/errors.hpp>

#include "workers/authentication.hpp"
#include "workers/own_program.hpp"
#include "workers/recognition.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// A program started as a worker has this long to get to weft::main.
constexpr auto reach_main_within = std::chrono::seconds(5);
constexpr auto connect_again_after = std::chrono::milliseconds(100);
constexpr auto death_notice_within = std::chrono::milliseconds(500);

std::string pool_name(const client_options& options) {
  return options.name.empty() ? "workers" : "workers \"" + options.name + "\"";
}

// Nothing, with the reason, where nobody listens or the server does not come to it.
unique_fd try_connect(const net::endpoint& where, steady_time until, std::string& why) {
  try {
    return net::stream::connect(where, until).release();
  } catch (const error& failed) {
    why = failed.message();
    return unique_fd();
  }
}

unique_fd connect_to(const client_options& options, steady_time until) {
  const auto where = net::endpoint::parse(options.connect);
  while (true) {
    std::string why;
    if (auto connection = try_connect(where, until, why)) return connection;
    const auto next = steady_clock::now() + connect_again_after;
    if (!options.wait_for_server || next >= until) throw start_failed(pool_name(options) + ": " + why);
    weft::sleep_until(next);
  }
}

hello_frame hello_of(const client_options& options, const std::string& nonce) {
  hello_frame hello;
  hello.nonce = nonce;
  hello.message_bytes_max = options.message_bytes_max;
  hello.build_id = process::build_id();
  hello.same_build_only = options.connect.empty();
  hello.settings = {options.name,        options.hung_worker_timeout, options.stack_bytes,
                    options.limits,      options.restrictions,        options.recycle,
                    options.error_stacks};
  return hello;
}

[[noreturn]] void throw_never_reached_main(worker_link& link, const client_options& options) {
  const auto status = end_process(link, options, {});
  throw start_failed(
      pool_name(options) + ": start this program as a worker: it ended (" + to_string(status) +
      ") or went on for 5 s without reaching weft::main; let main() begin with weft::main and make "
      "pools in its body");
}

[[noreturn]] void throw_no_welcome(worker_link& link, const client_options& options, stream_end end) {
  if (link.spawned &&
      (end == stream_end::closed || steady_clock::now() >= link.started + reach_main_within)) {
    throw_never_reached_main(link, options);
  }
  if (end == stream_end::timed_out) {
    end_process(link, options, {});
    throw call_timed_out(
        pool_name(options) + ": start a worker: it did not say welcome in time and was killed", true);
  }
  const auto* const monitored = dynamic_cast<monitored_worker*>(link.handle.get());
  const int why = monitored != nullptr ? const_cast<monitored_worker*>(monitored)->fork_error() : 0;
  if (why != 0) {
    throw start_failed(errc::resource_exhausted,
                       pool_name(options) + ": fork a worker: " + std::strerror(why) + "; try again later");
  }
  throw death_of(link, options, "before it said welcome");
}

// Asks a server that may be of either kind, or begins as the options say.
void begin(worker_link& link, const client_options& options, steady_time until) {
  link.is_asked = options.protocol != protocol_choice::native;
  if (options.protocol == protocol_choice::native) say_hello(link, options, -1, until);
  if (options.protocol == protocol_choice::automatic) {
    (void)link.connection.write(as_bytes(native_offer), until);
  }
}

// No process has such an id, so that who signals it harms nobody.
pid_t made_up_pid() noexcept {
  static std::atomic<pid_t> next{std::numeric_limits<pid_t>::max()};
  return next.fetch_sub(1, std::memory_order_relaxed);
}

std::unique_ptr<worker_link> stand_in_link(const client_options& options) {
  options.stand_in->start();
  auto link =
      std::make_unique<worker_link>(unique_fd(), options.message_bytes_max + frame_extra_bytes, nullptr);
  link->stands_in = options.stand_in;
  link->said_pid = made_up_pid();
  link->welcomed = true;
  return link;
}

}  // namespace

void say_hello(worker_link& link, const client_options& options, int keep_alive, steady_time until) {
  bytes hello = to_bytes(native_magic);
  if (options.keys != nullptr) link.nonce = make_nonce();
  write_frame(hello, hello_of(options, link.nonce));
  std::vector<int> along;
  if (keep_alive >= 0) along.push_back(keep_alive);
  // Whatever goes wrong here shows when the welcome is read.
  (void)link.connection.write_with(hello, along, until);
}

std::unique_ptr<worker_link> open_link(const client_options& options, steady_time until) {
  fault_point("weft.workers.start");
  if (options.stand_in != nullptr) return stand_in_link(options);
  if (!options.connect.empty()) {
    auto link = std::make_unique<worker_link>(connect_to(options, until),
                                              options.message_bytes_max + frame_extra_bytes, nullptr);
    link->connection.attach();
    begin(*link, options, until);
    return link;
  }
  auto one = own_program::instance().start(options.start);
  auto link = std::make_unique<worker_link>(
      std::move(one.connection), options.message_bytes_max + frame_extra_bytes, std::move(one.handle));
  link->spawned = one.spawned;
  link->connection.attach();
  say_hello(*link, options, one.keep_alive.get(), until);
  return link;
}

namespace {

wire::frame next_greeting(worker_link& link, const client_options& options, steady_time until) {
  wire::frame got;
  const auto end = link.stream.read(got, until);
  if (end != stream_end::ok) throw_no_welcome(link, options, end);
  return got;
}

[[noreturn]] void throw_key_missing(const client_options& options) {
  throw start_failed(errc::refused, pool_name(options) + ": the server at \"" + options.connect +
                                        "\" is for clients that have a key; set client_options::keys");
}

}  // namespace

void await_welcome(worker_link& link, const client_options& options, steady_time until) {
  if (link.welcomed) return;
  const auto bound = link.spawned ? std::min(until, link.started + reach_main_within) : until;
  auto got = next_greeting(link, options, bound);
  const bool challenged = static_cast<frame_type>(got.type) == frame_type::challenge;
  if (challenged) {
    if (options.keys == nullptr) throw_key_missing(options);
    (void)link.connection.write(prove(*options.keys, got, link.nonce, access_to_calls), bound);
    got = next_greeting(link, options, bound);
  }
  if (static_cast<frame_type>(got.type) == frame_type::refused) {
    throw start_failed(errc::refused, pool_name(options) + ": the worker refused: " + read_refused(got));
  }
  if (static_cast<frame_type>(got.type) != frame_type::welcome) {
    throw start_failed(errc::malformed, pool_name(options) + ": the worker did not begin with a welcome");
  }
  if (options.keys != nullptr && !challenged) {
    throw start_failed(errc::refused,
                       pool_name(options) + ": the server at \"" + options.connect +
                           "\" has not proved that it has a key; give it server_options::keys");
  }
  const auto welcome = detail::read_welcome(got);
  link.message_bytes_max = welcome.message_bytes_max;
  link.wants_release = welcome.wants_release;
  link.said_pid = static_cast<pid_t>(welcome.pid);
  auto& received = link.stream.descriptors();
  if (link.handle == nullptr && !received.empty()) {
    link.handle = std::make_unique<monitored_worker>(std::move(received.front()));
  }
  received.clear();
  link.channel.emplace(link.stream);
  link.welcomed = true;
}

namespace {

process::exit_status stop(worker_handle& handle, std::chrono::milliseconds grace) {
  handle.kill(SIGTERM);
  if (const auto status = handle.wait_until(deadline_after(grace))) return *status;
  handle.kill(SIGKILL);
  return handle.wait_until(deadline_after(std::chrono::seconds(1))).value_or(process::exit_status{});
}

}  // namespace

process::exit_status end_process(worker_link& link, const client_options& options, std::string why) noexcept {
  try {
    return shield([&]() -> process::exit_status {
      const std::lock_guard lock(link.ending);
      link.asked_to_end = true;
      if (!link.over.exchange(true)) link.ended_for = std::move(why);
      if (!link.ended_as) {
        link.ended_as =
            link.handle == nullptr ? process::exit_status{} : stop(*link.handle, options.kill_grace);
      }
      link.connection.shut_down();
      return *link.ended_as;
    });
  } catch (...) {
    return {};  // out of descriptors or memory: the fork server kills what nobody needs
  }
}

namespace {

// A process whose connection has ended is usually gone already; one that was told to end may be at work. With
// the lock `ending`.
std::optional<process::exit_status> own_end(worker_link& link) noexcept {
  try {
    if (link.ended_as) return link.ended_as;
    if (link.handle == nullptr) return process::exit_status{};
    if (link.asked_to_end) return std::nullopt;
    return shield([&] { return link.handle->wait_until(deadline_after(death_notice_within)); });
  } catch (...) {
    return std::nullopt;
  }
}

// An alarm is nobody else's.
death_cause cause_of(const worker_link& link, const std::optional<process::exit_status>& status) {
  if (status && status->is_signaled() && status->value == SIGALRM) return death_cause::hung;
  return link.handle != nullptr ? link.handle->cause() : death_cause::unknown;
}

std::string describe_end(const std::optional<process::exit_status>& status, death_cause cause) {
  if (!status) return "it closed its connection without an answer and went on, and was killed";
  if (status->is_exited()) return "it ended by itself with " + to_string(*status) + ", without an answer";
  if (status->is_signaled() && status->value == SIGALRM) {
    return "killed by SIGALRM, the alarm of hung_worker_timeout";
  }
  if (cause == death_cause::hung) {
    return "killed by SIGKILL, as a call took longer than hung_worker_timeout and the alarm did not end it";
  }
  if (cause == death_cause::out_of_memory) return "killed by SIGKILL, by the kernel, for want of memory";
  if (status->is_signaled() && status->value == SIGKILL) {
    return "killed by SIGKILL, by somebody or by the kernel for want of memory";
  }
  if (status->is_signaled()) return to_string(*status);
  return "its connection closed, and nobody could tell how it ended";
}

// The last line is what a crash report or an uncaught exception ends with.
std::string quoted_last_words(const worker_link& link) {
  std::string words = link.handle != nullptr ? link.handle->last_words() : std::string();
  while (!words.empty() && words.back() == '\n') words.pop_back();
  words.erase(0, words.rfind('\n') + 1);
  std::replace_if(
      words.begin(), words.end(), [](char one) { return static_cast<unsigned char>(one) < ' '; }, ' ');
  return words.empty() ? words : "; it last wrote: " + words;
}

}  // namespace

worker_died death_of(worker_link& link, const client_options& options, const std::string& what) {
  std::unique_lock lock(link.ending);
  auto status = own_end(link);
  const death_cause cause = cause_of(link, status);
  const std::string end = describe_end(status, cause);
  if (status) {
    link.ended_as = status;
    link.over = true;
    link.connection.shut_down();
  } else {
    lock.unlock();
    const bool asked = link.asked_to_end;
    status = end_process(link, options, {});
    link.asked_to_end = asked;
    lock.lock();
  }
  const pid_t pid = link.pid();
  const std::string who = pid > 0 ? "worker " + std::to_string(pid) : "a worker";
  const std::string why = link.ended_for.empty() ? end : link.ended_for;
  return worker_died(pool_name(options) + ": " + who + " died " + what + ": " + why + quoted_last_words(link),
                     pid, *status, cause, link.handle != nullptr ? link.handle->last_words() : std::string());
}

void worker_link::break_off() noexcept {
  over = true;
  connection.shut_down();
}

bool worker_link::has_said_goodbye() noexcept {
  try {
    connection.attach();
    wire::frame got;
    return shield([&] { return stream.read(got, steady_clock::now()) == stream_end::ok; }) &&
           static_cast<frame_type>(got.type) == frame_type::goodbye;
  } catch (...) {
    return false;
  }
}

}  // namespace weft::inline v1::workers::detail
