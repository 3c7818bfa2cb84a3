#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/interfaces.hpp>
#include <weft/workers/start_mode.hpp>

namespace weft::inline v1 {

/// What a program may say about how weft::main starts it.
struct main_options {
  std::string name = {};  ///< of the fork server in the process list; empty: the program's file name
  workers::start_mode start = workers::start_mode::automatic;  ///< of the worker processes
};

/// The program as its body sees it: its arguments, and the services that setup registered.
class application {
 public:
  application(int argc, char** argv, weft::services& provided) noexcept
      : argc_(argc), argv_(argv), services_(provided) {}

  int argc() const noexcept { return argc_; }
  char** argv() const noexcept { return argv_; }
  /// argv without the program's name.
  std::vector<std::string> arguments() const { return {argv_ + (argc_ > 0 ? 1 : 0), argv_ + argc_}; }
  weft::services& services() const noexcept { return services_; }

 private:
  int argc_;
  char** argv_;
  weft::services& services_;
};

namespace workers::detail {

int run_main(int argc, char** argv, unique_function<void(services&, interfaces&)> setup,
             unique_function<int(application&)> body, const main_options& options);

template <typename Body>
unique_function<int(application&)> as_body(Body&& body) {
  return [held = std::forward<Body>(body)](application& app) mutable -> int {
    if constexpr (std::is_invocable_v<decltype(held)&, application&>) {
      if constexpr (std::is_convertible_v<std::invoke_result_t<decltype(held)&, application&>, int>) {
        return held(app);
      } else {
        held(app);
        return 0;
      }
    } else if constexpr (std::is_convertible_v<std::invoke_result_t<decltype(held)&>, int>) {
      return held();
    } else {
      held();
      return 0;
    }
  };
}

}  // namespace workers::detail

/// The main function of a program with worker processes:
///
///     int main(int argc, char** argv) { return weft::main(argc, argv, setup, body); }
///
/// `setup(services&, workers::interfaces&)` runs in every role of the program and only registers
/// recipes. `body(application&)`, or `body()`, runs in the application only, on the main thread; it
/// usually calls weft::run. Its int is the exit status. An error that leaves it is written to stderr,
/// and the status is 1.
///
/// Between the two, while the process still has one thread, the fork server is forked; it costs
/// nothing until a pool asks it for workers. With more threads, workers are this program started
/// anew: a started program must get here within 5 s, and does not come back from here before its end.
template <typename Setup, typename Body>
int main(int argc, char** argv, Setup&& setup, Body&& body, const main_options& options = {}) {
  return workers::detail::run_main(argc, argv, std::forward<Setup>(setup),
                                   workers::detail::as_body(std::forward<Body>(body)), options);
}

}  // namespace weft::inline v1
