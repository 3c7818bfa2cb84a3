#include <weft/workers/server.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/process/self.hpp>
#include <weft/process/signals_held.hpp>
#include <weft/process/socket.hpp>

#include "workers/fork_server.hpp"
#include "workers/successor.hpp"
#include "workers/worker.hpp"

namespace weft::inline v1::workers {

namespace {

// Those that ask a server to end or to reload.
sigset_t signals_to_server() { return process::detail::signal_set({SIGTERM, SIGINT, SIGHUP}); }

// Readable once one has come; workers get them as usual again.
unique_fd receive_signals() {
  const sigset_t signals = signals_to_server();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return unique_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

// While it lives the process in which the server runs is known.
class said_to_serve {
 public:
  explicit said_to_serve(std::atomic<pid_t>& where) : where_(where) { where_ = ::getpid(); }
  said_to_serve(const said_to_serve&) = delete;
  said_to_serve& operator=(const said_to_serve&) = delete;
  ~said_to_serve() { where_ = 0; }

 private:
  std::atomic<pid_t>& where_;
};

net::bound_socket listen(const server_options& options) {
  const auto at = net::endpoint::parse(options.listen);
  if (auto inherited = process::detail::inherited_socket(at.text()))
    return net::bound_socket::adopt(std::move(inherited), at);
  return net::bound_socket(at, {.unix_mode = static_cast<mode_t>(options.mode)});
}

}  // namespace

struct server::state {
  explicit state(server_options wanted) : options(std::move(wanted)), listening(listen(options)) {
    program.provided = &provided;
    program.offered = &options.interface;
    program.settings = {options.name,        options.hung_worker_timeout, options.stack_bytes,
                        options.limits,      options.restrictions,        options.recycle,
                        options.error_stacks};
    program.client_decides = false;
    program.keys = options.keys.get();
    // Over TCP nobody says who he is.
    program.allows_closures = listening.address().is_unix() || options.keys != nullptr;
    program.follows_checkouts = true;
    program.message_bytes_max = options.message_bytes_max;
    program.max_calls = std::max<std::size_t>(options.max_calls, 1);
    program.setup = options.setup;
    if (options.checkout_done) options.interface.on_checkout_done(options.checkout_done);
  }

  int serve(unique_fd keep_alive, bool reloads_program) {
    detail::fork_server_options how;
    how.keep_alive = std::move(keep_alive);
    how.signals = receive_signals();
    how.name = options.name;
    how.worker = [this](detail::worker_descriptors descriptors) {
      ::signal(SIGPIPE, SIG_IGN);
      return detail::run_worker(std::move(descriptors), program);
    };
    how.listener = &listening;
    how.keys = options.keys.get();
    how.checks_users = listening.address().is_unix();
    how.allowed_users = options.allowed_users;
    how.max_workers = options.max_workers;
    how.min_workers = options.min_workers;
    how.idle_timeout = options.idle_timeout;
    how.max_waiting = options.max_waiting;
    how.hello_within = options.hello_within;
    how.hung_after = options.hung_worker_timeout;
    how.stop_grace = options.stop_grace;
    how.reload_grace = options.reload_grace;
    how.restarts = options.restarts;
    if (reloads_program) {
      how.start_successor = [this] {
        return process::detail::start_successor(own_start, listening.fd(), listening.address().text());
      };
    }
    detail::fork_server serves(std::move(how));
    const said_to_serve from_now_on(serving);
    return serves.run();
  }

  std::atomic<pid_t> serving{0};  // the process in which it runs

  server_options options;
  net::bound_socket listening;
  detail::own_start own_start = detail::own_start::now();
  services provided;
  detail::worker_program program;
};

server::server(server_options options) : state_(std::make_unique<state>(std::move(options))) {}
server::server(server&&) noexcept = default;
server::~server() = default;

std::string server::address() const { return state_->listening.address().text(); }

int server::run() {
  if (process::thread_count() != 1) {
    throw error(errc::misuse,
                "workers: run a server: the process has threads, so it cannot fork workers; start it "
                "before them, or use server::fork early in main");
  }
  const process::detail::signals_held while_it_serves(signals_to_server());
  return state_->serve(unique_fd(), true);
}

void server::reload() const {
  const pid_t serving = state_->serving;
  if (serving <= 0 || ::kill(serving, SIGHUP) != 0)
    throw error(errc::misuse, "workers: reload a server: it does not run");
}

process::child server::fork(server_options options) {
  auto alive = process::make_pipe();
  auto made = std::make_shared<server>(std::move(options));
  const process::detail::signals_held until_received(signals_to_server());
  auto child = process::child::fork([&]() -> int {
    auto& state = *made->state_;
    process::close_descriptors_except({state.listening.fd(), alive.reader.get()});
    (void)alive.writer.release();
    const int status = state.serve(std::move(alive.reader), false);
    made.reset();
    return status;
  });
  made->state_->listening.leave_open();  // the child's now
  // Open until this process ends; nobody else has it, as it is close-on-exec.
  (void)alive.writer.release();
  return child;
}

}  // namespace weft::inline v1::workers
