#include <weft/process/program.hpp>

#include <fcntl.h>
#include <csignal>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/process/find_program.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::process {

namespace {

std::string text_of(const std::vector<std::string>& arguments) {
  constexpr std::size_t text_max = 200;
  std::string text;
  for (const auto& one : arguments) text += (text.empty() ? "" : " ") + one;
  if (text.size() > text_max) text = text.substr(0, text_max) + "...";
  return text;
}

void require_arguments(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return;
  throw error(errc::invalid_argument, "process: start a program: no arguments; the first one names it");
}

/// The PATH the program will have is the one it is looked for in.
std::string path_of(const std::string& name, const program_options& options) {
  constexpr std::string_view variable = "PATH=";
  for (const auto& one : options.environment) {
    if (one.starts_with(variable)) return find_program(name, std::string_view(one).substr(variable.size()));
  }
  return find_program(name);
}

unique_fd open_null(int flags) {
  unique_fd fd(::open("/dev/null", flags | O_CLOEXEC));
  if (!fd) throw system_error("process: start a program: open /dev/null", errno);
  return fd;
}

/// The standard streams of a program that is being started.
struct streams {
  std::vector<inherited_descriptor> placed;
  std::vector<unique_fd> theirs;  // closed here once the program has them

  void give(int fd, int number) { placed.push_back({fd, number}); }
  void give(unique_fd fd, int number) {
    give(fd.get(), number);
    theirs.push_back(std::move(fd));
  }
  int placed_as(int number) const noexcept {
    for (const auto& one : placed) {
      if (one.there == number) return one.here;
    }
    return number;
  }

  pipe_writer set_input(const stream_target& target) {
    switch (target.how()) {
      case stream_target::kind::null:
        give(open_null(O_RDONLY), STDIN_FILENO);
        return {};
      case stream_target::kind::descriptor:
        give(target.fd(), STDIN_FILENO);
        return {};
      case stream_target::kind::merged:
        throw error(errc::invalid_argument, "process: start a program: only stderr can be merged");
      case stream_target::kind::inherit:
        return {};
      case stream_target::kind::pipe:
        break;
    }
    auto both = make_pipe();
    give(std::move(both.reader), STDIN_FILENO);
    return pipe_writer(std::move(both.writer));
  }

  pipe_reader set_output(const stream_target& target, int number) {
    switch (target.how()) {
      case stream_target::kind::null:
        give(open_null(O_WRONLY), number);
        return {};
      case stream_target::kind::descriptor:
        give(target.fd(), number);
        return {};
      case stream_target::kind::merged:
        if (number == STDOUT_FILENO) {
          throw error(errc::invalid_argument, "process: start a program: only stderr can be merged");
        }
        give(placed_as(STDOUT_FILENO), number);
        return {};
      case stream_target::kind::inherit:
        return {};
      case stream_target::kind::pipe:
        break;
    }
    auto both = make_pipe();
    give(std::move(both.writer), number);
    return pipe_reader(std::move(both.reader));
  }
};

}  // namespace

std::vector<std::string> shell(std::string command) { return {"/bin/sh", "-c", std::move(command)}; }

program::program(std::vector<std::string> arguments, program_options options)
    : text_(text_of(arguments)), grace_(options.grace) {
  require_arguments(arguments);
  streams its;
  in_ = its.set_input(options.in);
  out_ = its.set_output(options.out, STDOUT_FILENO);
  err_ = its.set_output(options.err, STDERR_FILENO);
  std::string path = path_of(arguments.front(), options);
  child_ = child::spawn({.program = std::move(path),
                         .arguments = std::move(arguments),
                         .environment = std::move(options.environment),
                         .descriptors = std::move(its.placed),
                         .own_group = true,
                         .clear_environment = options.clear_environment,
                         .pass_context = options.pass_context,
                         .directory = std::move(options.directory),
                         .resource_limits = options.resource_limits,
                         .die_with_thread = options.die_with_thread});
}

// As long as the leader has not been reaped, its number cannot be another group's.
bool program::kill(int signal) noexcept {
  return child_ && !child_.is_reaped() && ::kill(-child_.pid(), signal) == 0;
}

exit_status program::terminate() {
  if (const auto ended = child_.is_reaped() ? child_.try_wait() : std::nullopt) return *ended;
  return shield([this] {
    kill(SIGTERM);
    wait_readable_for(child_.pidfd(), grace_);
    kill(SIGKILL);  // the program if it ignored that, and what it leaves behind
    return child_.wait();
  });
}

program::~program() {
  if (!kill(SIGKILL)) return;
  try {
    // So that the other fibers run meanwhile; the child's destructor reaps it.
    shield([this] { wait_readable(child_.pidfd()); });
  } catch (...) {  // waiting is not allowed here: the thread sleeps until the kernel has killed it
    return;
  }
}

}  // namespace weft::inline v1::process
