#include <weft/http/process_group.hpp>

#include <unistd.h>
#include <csignal>
#include <exception>
#include <optional>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/log/log.hpp>
#include <weft/process/self.hpp>
#include <weft/process/signals.hpp>
#include <weft/process/successor.hpp>

namespace weft::inline v1::http {

namespace {

constexpr std::chrono::milliseconds look_at_use_every{250};

/// How long the supervisor waits for a process that stops as `how` says.
std::chrono::milliseconds with_reserve(const stop_options& how) {
  return how.grace + std::chrono::seconds(5);
}

net::bound_socket listen(const process_group_options& options) {
  const auto at = net::endpoint::parse(options.listen);
  if (auto inherited = process::detail::inherited_socket(at.text()))
    return net::bound_socket::adopt(std::move(inherited), at);
  return net::bound_socket(at, options.socket);
}

/// Cancelled, and waited for, at the end of the scope.
class helper {
 public:
  explicit helper(fiber<void> work) noexcept : work_(std::move(work)) {}
  helper(const helper&) = delete;
  helper& operator=(const helper&) = delete;
  ~helper() {
    work_.cancel();
    shield([this] {
      try {
        work_.join();
      } catch (const cancelled&) {  // as it was asked to
      } catch (const std::exception& failed) {
        log::error("http: a process of a group has lost its supervisor", {{"why", failed.what()}});
      }
    });
  }

 private:
  fiber<void> work_;
};

}  // namespace

process_group::process_group(process_group_options options)
    : options_(std::move(options)), socket_(listen(options_)) {}

int process_group::run(std::function<void(server_process&)> body) {
  std::optional<process::handed_socket> handed;
  if (options_.reloads_program) handed = {.socket = socket_.fd(), .address = socket_.address().text()};
  process::supervisor keeper({.name = options_.name,
                              .processes = options_.processes,
                              .restarts = options_.restarts,
                              .ready_within = options_.ready_within,
                              .leave_grace = with_reserve(options_.replaced),
                              .stop_grace = with_reserve(options_.stop),
                              .on_stop = [this] { socket_.close(); },
                              .hands_over = std::move(handed),
                              .on_handed_over = [this] { socket_.leave_open(); }},
                             [&](process::supervised& line) {
                               return weft::run(
                                   [&] {
                                     server_process here(options_, socket_, line);
                                     body(here);
                                   },
                                   options_.run);
                             });
  return keeper.run();
}

server_options server_process::options(server_options base) const {
  base.listen = socket_.address().text();
  base.listener = &socket_;
  return base;
}

void server_process::serve(server& what) {
  process::signal_watch terminated({SIGTERM});  // before the first request
  what.start();
  event wanted;
  bool was_replaced = false;
  const helper signals(go_here([&] {
    terminated.wait();
    wanted.set();
  }));
  const helper words(go_here([&] {
    while (true) {
      const process::supervisor_word word = line_.hear();
      if (word.what == process::supervisor_word::kind::message) {
        take_message(word.text);
        continue;
      }
      was_replaced = word.what == process::supervisor_word::kind::leave;
      wanted.set();
      if (!was_replaced) break;
    }
    what.stop(options_.stop);  // also where it was leaving before
  }));
  const helper use(go_here([&] { look_at_use(what); }));
  line_.ready();
  wanted.wait();
  what.stop(was_replaced ? options_.replaced : options_.stop);
}

void server_process::take_message(std::string_view message) const {
  if (!on_message_) return;
  try {
    on_message_(message);
  } catch (const std::exception&) {
    log::write_exception(log::level::error, "http: a message of another process", std::current_exception(),
                         {});
  }
}

void server_process::look_at_use(const server& what) {
  if (options_.requests_max == 0 && options_.resident_bytes_max == 0) return;
  while (true) {
    sleep_for(look_at_use_every);
    if (is_used_up(what)) line_.ask_for_successor();
  }
}

bool server_process::is_used_up(const server& what) const {
  if (options_.requests_max != 0 && what.statistics().requests >= options_.requests_max) return true;
  return options_.resident_bytes_max != 0 &&
         process::resident_bytes(::getpid()) > options_.resident_bytes_max;
}

}  // namespace weft::inline v1::http
