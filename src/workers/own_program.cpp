#include "workers/own_program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <sys/socket.h>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/process/self.hpp>
#include <weft/workers/errors.hpp>

namespace weft::inline v1::workers::detail {

namespace {

std::string role_assignment() {
  std::string text(role_variable);
  text += '=';
  text += std::to_string(role_descriptor);
  return text;
}

}  // namespace

own_program& own_program::instance() {
  static own_program one;
  return one;
}

void own_program::set_fork_server(process::child server, unique_fd control, unique_fd keep_alive_writer) {
  const std::lock_guard lock(mutex_);
  reached_main_ = true;
  server_ = std::move(server);
  control_ = std::move(control);
  server_keep_alive_ = std::move(keep_alive_writer);
}

void own_program::set_no_fork_server(std::vector<std::string> threads) {
  const std::lock_guard lock(mutex_);
  reached_main_ = true;
  threads_ = std::move(threads);
}

void own_program::end_fork_server() noexcept {
  process::child server;
  {
    const std::lock_guard lock(mutex_);
    control_.reset();
    server_keep_alive_.reset();
    server = std::move(server_);
  }
  if (!server) return;
  try {
    // It ends its workers first, which takes at most the time between two signals each.
    if (!server.wait_for(std::chrono::seconds(2))) server.kill(SIGKILL);
    server.wait();
  } catch (...) {
    server.kill(SIGKILL);  // a cancelled wait; the destructor reaps
  }
}

std::string own_program::why_no_fork_server() const {
  if (!reached_main_) return "this program did not start with weft::main";
  if (threads_.empty()) return "the fork server has ended";
  std::string list;
  for (const auto& name : threads_) list += (list.empty() ? "" : ", ") + name;
  return "there were " + std::to_string(threads_.size()) + " threads when weft::main was reached (" + list +
         ")";
}

void own_program::warn_of_spawning(const std::string& why) {
  log::warn(
      "workers: each worker is started as a new process, which costs milliseconds instead of a fork's "
      "fraction of one: " +
      why + "; call weft::main before threads are started");
}

// Nothing when there is no server, or it is gone.
std::optional<own_program::started> own_program::fork_one() {
  if (!control_) return std::nullopt;
  auto [mine, connection] = process::stream_pair();
  auto [monitor, servers_end] = process::message_pair();
  const long sent =
      process::send_with_descriptors(control_.get(), "w", {connection.get(), servers_end.get()});
  if (sent < 0) {
    control_.reset();
    threads_.clear();
    return std::nullopt;
  }
  return started{std::move(mine), std::make_unique<monitored_worker>(std::move(monitor)), unique_fd(), false};
}

own_program::started own_program::spawn_one() {
  auto [mine, connection] = process::stream_pair();
  if (!spawned_keep_alive_.reader) spawned_keep_alive_ = process::make_pipe();
  auto child = process::child::spawn({.program = process::own_program,
                                      .arguments = process::own_arguments(),
                                      .environment = {role_assignment()},
                                      .descriptors = {{connection.get(), role_descriptor}},
                                      .own_group = true,
                                      .pass_context = false});  // it serves many tasks
  return {std::move(mine), std::make_unique<spawned_worker>(std::move(child)),
          unique_fd(::dup(spawned_keep_alive_.reader.get())), true};
}

own_program::started own_program::start(start_mode how) {
  if (std::getenv(role_variable) != nullptr) {
    throw start_failed(
        errc::misuse,
        "workers: start a worker: this process was itself started as a worker and made a pool before "
        "it reached weft::main; make pools in the body of weft::main");
  }
  std::unique_lock lock(mutex_);
  if (how != start_mode::exec) {
    if (auto one = fork_one()) return std::move(*one);
  }
  if (how == start_mode::fork) {
    throw start_failed(errc::misuse,
                       "workers: fork a worker: there is no fork server: " + why_no_fork_server() +
                           "; start threads after weft::main, or use start_mode::automatic");
  }
  const bool warns = how == start_mode::automatic && !std::exchange(warned_, true);
  const std::string why = warns ? why_no_fork_server() : std::string();
  started one = spawn_one();
  lock.unlock();
  if (warns) warn_of_spawning(why);
  return one;
}

}  // namespace weft::inline v1::workers::detail
