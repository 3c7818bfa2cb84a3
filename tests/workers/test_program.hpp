#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <weft/context/context.hpp>
#include <weft/context/key.hpp>
#include <weft/core/error.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/interfaces.hpp>
#include <weft/workers/main.hpp>

// The program of these tests: its workers offer what can go right and wrong in a worker.

namespace weft_test {

class out_of_cheese : public weft::error {
 public:
  explicit out_of_cheese(std::string message) : error(weft::errc::resource_exhausted, std::move(message)) {}
};

/// A service.
class counter {
 public:
  int next() { return ++count_; }

 private:
  int count_ = 0;
};

inline constexpr weft::key_spec request_spec{
    .name = "test.request", .wire = weft::wire_policy::worker, .log = true};
inline const weft::key<std::string> request{request_spec};
inline constexpr weft::key_spec secret_spec{.name = "test.secret"};
inline const weft::key<std::string> secret{secret_spec};

/// Registers the functions; see test_program.cpp.
void offer_functions(weft::services& provided, weft::workers::interfaces& offered);

/// The main of a test program: weft::main around GoogleTest.
int run_tests(int argc, char** argv, const weft::main_options& options = {});

/// Memory of this process.
std::int64_t resident_kib();

/// Waits, at most a minute, until a process is gone; it need not be a child.
bool is_gone(pid_t pid);
/// Waits until a process is stopped by SIGSTOP.
void await_stopped(pid_t pid);

}  // namespace weft_test
