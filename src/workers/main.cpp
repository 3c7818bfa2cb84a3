#include <weft/workers/main.hpp>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/fork_server.hpp"
#include "workers/own_program.hpp"
#include "workers/worker.hpp"

namespace weft::inline v1::workers::detail {

namespace {

std::string program_name(int argc, char** argv) {
  if (argc < 1) return "weft";
  const std::string path = argv[0];
  return path.substr(path.rfind('/') + 1);
}

// Does `work`; an error that leaves it is told to the person who started the program.
template <typename Work>
int with_errors_reported(const std::string& program, Work&& work) {
  try {
    return work();
  } catch (const exit_exception& left) {
    return left.status_code();
  } catch (const unwinding& ended) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), ended.what());
  } catch (...) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(),
                 failure::from(std::current_exception()).chain().c_str());
  }
  return EXIT_FAILURE;
}

// The descriptor that makes this process a worker; -1 where it is the application.
int role_of_this_process() {
  const char* const text = std::getenv(role_variable);
  if (text == nullptr) return -1;
  int fd = -1;
  std::from_chars(text, text + std::strlen(text), fd);
  // Programs that the worker starts are no workers.
  ::unsetenv(role_variable);
  return fd;
}

int run_spawned_worker(int connection, services& provided, const interfaces& offered) {
  ::signal(SIGPIPE, SIG_IGN);
  worker_program program;
  program.provided = &provided;
  program.offered = &offered;
  return run_worker({.client = {.connection = unique_fd(connection)}}, program);
}

// In the child: everything but its own two descriptors is the application's.
int run_fork_server(unique_fd control, unique_fd keep_alive, const std::string& name, services& provided,
                    const interfaces& offered) {
  process::close_descriptors_except({control.get(), keep_alive.get()});
  process::reset_signals();
  // Not in the application's group: an interrupt from the terminal is for the application, which
  // ends its workers in its own time.
  ::setpgid(0, 0);
  worker_program program;
  program.provided = &provided;
  program.offered = &offered;
  fork_server_options options;
  options.control = std::move(control);
  options.keep_alive = std::move(keep_alive);
  options.name = name;
  options.worker = [&program](worker_descriptors descriptors) {
    ::signal(SIGPIPE, SIG_IGN);
    return run_worker(std::move(descriptors), program);
  };
  return fork_server(std::move(options)).run();
}

void start_fork_server(const std::string& name, services& provided, const interfaces& offered) {
  auto [here, there] = process::message_pair();
  auto alive = process::make_pipe();
  auto server = process::child::fork([&]() -> int {
    return run_fork_server(std::move(there), std::move(alive.reader), name, provided, offered);
  });
  own_program::instance().set_fork_server(std::move(server), std::move(here), std::move(alive.writer));
}

// Forks now or never: later there will be threads.
void prepare_workers(const std::string& name, const main_options& options, services& provided,
                     const interfaces& offered) {
  if (options.start == start_mode::exec) {
    own_program::instance().set_no_fork_server({});
    return;
  }
  // Records written so far may have started a thread.
  log::pause_sinks(std::chrono::seconds(1));
  auto threads = process::thread_names();
  if (threads.size() == 1) {
    start_fork_server(name, provided, offered);
  } else if (options.start == start_mode::fork) {
    process::child::fork([] { return 0; });  // throws, naming the threads
  } else {
    own_program::instance().set_no_fork_server(std::move(threads));
  }
}

}  // namespace

int run_main(int argc, char** argv, unique_function<void(services&, interfaces&)> setup,
             unique_function<int(application&)> body, const main_options& options) {
  const std::string program = program_name(argc, argv);
  return with_errors_reported(program, [&]() -> int {
    const int role = role_of_this_process();
    services provided;
    interfaces offered;
    setup(provided, offered);
    if (role >= 0) return run_spawned_worker(role, provided, offered);
    prepare_workers(options.name.empty() ? program : options.name, options, provided, offered);
    application app(argc, argv, provided);
    const int status = body(app);
    own_program::instance().end_fork_server();
    return status;
  });
}

}  // namespace weft::inline v1::workers::detail
