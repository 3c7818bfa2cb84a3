#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/child.hpp>

namespace weft::process {

namespace {

[[noreturn]] void throw_spawn_failed(const std::string& program, int why) {
  throw system_error("process: spawn \"" + program + "\"", why);
}

// posix_spawn reports by return value.
void check(int result, const std::string& program) {
  if (result != 0) throw_spawn_failed(program, result);
}

struct file_actions {
  file_actions() { ::posix_spawn_file_actions_init(&value); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  ~file_actions() { ::posix_spawn_file_actions_destroy(&value); }
  posix_spawn_file_actions_t value;
};

struct attributes {
  attributes() { ::posix_spawnattr_init(&value); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  ~attributes() { ::posix_spawnattr_destroy(&value); }

  void set(bool own_group) {
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigdefault(&value, &all);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&value, &none);
    const int flags =
        POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (own_group ? POSIX_SPAWN_SETPGROUP : 0);
    ::posix_spawnattr_setflags(&value, static_cast<short>(flags));
  }
  posix_spawnattr_t value;
};

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

// The own environment with the wanted variables in place of those of the same name.
std::vector<char*> environment_with(const std::vector<std::string>& wanted) {
  std::vector<char*> all;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const auto same_name = [&](const std::string& other) { return name_of(other) == name_of(*one); };
    if (std::none_of(wanted.begin(), wanted.end(), same_name)) all.push_back(*one);
  }
  for (const auto& one : wanted) all.push_back(const_cast<char*>(one.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<char*> arguments_of(const spawn_options& options) {
  std::vector<char*> all;
  all.reserve(options.arguments.size() + 1);
  for (const auto& one : options.arguments) all.push_back(const_cast<char*>(one.c_str()));
  if (all.empty()) all.push_back(const_cast<char*>(options.program.c_str()));
  all.push_back(nullptr);
  return all;
}

// Copies above every number in use here, so that putting one in place cannot overwrite another that
// is still to come; close-on-exec, as they are only stepping stones.
class stepping_stones {
 public:
  explicit stepping_stones(const spawn_options& options) {
    for (const auto& one : options.descriptors) lowest_ = std::max(lowest_, one.there + 1);
    for (const auto& one : options.descriptors) {
      unique_fd copy(::fcntl(one.here, F_DUPFD_CLOEXEC, lowest_));
      if (!copy) throw_spawn_failed(options.program, errno);
      copies_.push_back(std::move(copy));
    }
  }

  void place(file_actions& actions, const spawn_options& options) const {
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      check(
          ::posix_spawn_file_actions_adddup2(&actions.value, copies_[i].get(), options.descriptors[i].there),
          options.program);
    }
    close_others(actions, options);
  }

 private:
  void close_others(file_actions& actions, const spawn_options& options) const {
    for (int number = 3; number < lowest_; ++number) {
      const auto is_wanted = [&](const inherited_descriptor& one) { return one.there == number; };
      if (std::any_of(options.descriptors.begin(), options.descriptors.end(), is_wanted)) continue;
      check(::posix_spawn_file_actions_addclose(&actions.value, number), options.program);
    }
    check(::posix_spawn_file_actions_addclosefrom_np(&actions.value, lowest_), options.program);
  }

  int lowest_ = 3;
  std::vector<unique_fd> copies_;
};

}  // namespace

child child::spawn(const spawn_options& options) {
  file_actions actions;
  const stepping_stones stones(options);
  stones.place(actions, options);
  attributes attrs;
  attrs.set(options.own_group);
  auto arguments = arguments_of(options);
  auto environment = environment_with(options.environment);
  pid_t pid = -1;
  check(::posix_spawn(&pid, options.program.c_str(), &actions.value, &attrs.value, arguments.data(),
                      environment.data()),
        options.program);
  return adopt(pid);
}

}  // namespace weft::process
