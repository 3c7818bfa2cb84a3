#include <weft/workers/server.hpp>

#include <cerrno>
#include <csignal>

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/fork_server.hpp"
#include "workers/unix_address.hpp"
#include "workers/worker.hpp"

namespace weft::workers {

namespace {

using detail::unix_address;

bool somebody_listens(const unix_address& where) {
  const unique_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), where.generic(), where.length) == 0;
}

// A socket file outlives a server that was killed.
void remove_stale(const unix_address& where, const std::string& tried) {
  struct stat file {};
  if (::lstat(where.path.c_str(), &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) {
    throw error(errc::already_exists, tried + "the file is there and is no socket; choose another path");
  }
  if (somebody_listens(where)) {
    throw error(errc::busy, tried + "another server answers there; stop it or choose another path");
  }
  ::unlink(where.path.c_str());
}

unique_fd listen_at(const unix_address& where, unsigned mode) {
  const std::string tried = "workers: listen at \"unix:" + where.path + "\": ";
  remove_stale(where, tried);
  unique_fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The file never has wider permissions than asked for.
  const mode_t former = ::umask(0777 & ~mode);
  const bool bound = listener && ::bind(listener.get(), where.generic(), where.length) == 0;
  const int why = errno;
  ::umask(former);
  if (!bound) throw system_error(tried.substr(0, tried.size() - 2), why);
  if (::listen(listener.get(), 128) != 0) throw system_error(tried.substr(0, tried.size() - 2), errno);
  return listener;
}

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
        address(options.listen),
        listener(listen_at(address, options.mode)),
        owner(::getpid()) {
    program.provided = &provided;
    program.offered = &options.interface;
    program.settings = {options.name, options.hung_worker_timeout, options.stack_bytes, options.limits};
    program.client_decides = false;
    program.message_bytes_max = options.message_bytes_max;
    program.setup = options.setup;
    if (options.checkout_done) options.interface.on_checkout_done(options.checkout_done);
  }
  // Workers have a copy of this and must leave the file alone.
  ~state() {
    if (owner == ::getpid()) ::unlink(address.path.c_str());
  }

  int serve(unique_fd keep_alive) {
    detail::fork_server_options how;
    how.listener = std::move(listener);
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
  unix_address address;
  unique_fd listener;
  pid_t owner;
  services provided;
  detail::worker_program program;
};

server::server(server_options options) : state_(std::make_unique<state>(std::move(options))) {}
server::server(server&&) noexcept = default;
server::~server() = default;

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
    process::close_descriptors_except({state.listener.get(), alive.reader.get()});
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
