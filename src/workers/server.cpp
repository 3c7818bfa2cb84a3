#include <weft/workers/server.hpp>

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/fork_server.hpp"
#include "workers/listening.hpp"
#include "workers/worker.hpp"

namespace weft::workers {

namespace {

// Readable once the process is asked to end; workers get the signals as usual again.
unique_fd end_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return unique_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

struct server::state {
  explicit state(server_options wanted)
      : options(std::move(wanted)),
        listening(detail::listen_at(net::endpoint::parse(options.listen), options.mode)),
        owner(::getpid()) {
    program.provided = &provided;
    program.offered = &options.interface;
    program.settings = {options.name, options.hung_worker_timeout, options.stack_bytes, options.limits};
    program.client_decides = false;
    // Over TCP nobody says who he is.
    program.allows_closures = listening.at.is_unix();
    program.message_bytes_max = options.message_bytes_max;
    program.setup = options.setup;
    if (options.checkout_done) options.interface.on_checkout_done(options.checkout_done);
  }
  // Workers have a copy of this and must leave the file alone.
  ~state() {
    const auto& path = listening.at.path();
    if (owner == ::getpid() && !path.empty() && path.front() != '@') ::unlink(path.c_str());
  }

  int serve(unique_fd keep_alive) {
    detail::fork_server_options how;
    how.listener = std::move(listening.socket);
    how.checks_users = listening.at.is_unix();
    how.keep_alive = std::move(keep_alive);
    how.stop_signals = end_signals();
    how.name = options.name;
    how.allowed_users = options.allowed_users;
    how.workers_max = options.workers_max;
    how.worker = [this](detail::worker_descriptors descriptors) {
      ::signal(SIGPIPE, SIG_IGN);
      return detail::run_worker(std::move(descriptors), program);
    };
    return detail::fork_server(std::move(how)).run();
  }

  server_options options;
  detail::listening_socket listening;
  pid_t owner;
  services provided;
  detail::worker_program program;
};

server::server(server_options options) : state_(std::make_unique<state>(std::move(options))) {}
server::server(server&&) noexcept = default;
server::~server() = default;

std::string server::address() const { return state_->listening.at.text(); }

int server::run() {
  if (process::thread_count() != 1) {
    throw error(errc::misuse,
                "workers: run a server: the process has threads, so it cannot fork workers; start it "
                "before them, or use server::fork early in main");
  }
  return state_->serve(unique_fd());
}

process::child server::fork(server_options options) {
  auto alive = process::make_pipe();
  auto made = std::make_shared<server>(std::move(options));
  auto child = process::child::fork([&]() -> int {
    auto& state = *made->state_;
    state.owner = ::getpid();
    process::close_descriptors_except({state.listening.socket.get(), alive.reader.get()});
    (void)alive.writer.release();
    const int status = state.serve(std::move(alive.reader));
    made.reset();
    return status;
  });
  made->state_->owner = child.pid();
  // Open until this process ends; nobody else has it, as it is close-on-exec.
  (void)alive.writer.release();
  return child;
}

}  // namespace weft::workers
