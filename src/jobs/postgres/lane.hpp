#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <weft/core/error.hpp>

#include "jobs/postgres/link/store_thread.hpp"
#include "jobs/request_line.hpp"

namespace weft::inline v1::jobs::postgres {

/// Requests of one kind, and the fibers of the store's thread that serve them: what waits together is done
/// together, and what waits in one lane holds up no other.
///
/// Thread-safety: ask() from any fiber or thread.
template <typename Request>
class lane {
 public:
  /// Does what it was given, all of it; a request that fails alone gets its `error`, what it throws is of
  /// all.
  using server = std::function<void(std::vector<Request*>& taken)>;

  lane(store_thread& on, const std::string& name, std::size_t servers, std::size_t together, server serve)
      : together_(together), serve_(std::move(serve)) {
    for (std::size_t i = 0; i < servers; ++i) on.start(name, [this] { run(); });
  }
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  /// As request_line::ask.
  void ask(Request& asked) { line_.ask(asked); }
  /// Those that wait are still served; the fibers end then.
  void close() { line_.close(); }

 private:
  void run() {
    std::vector<Request*> taken;
    taken.reserve(together_);
    while (line_.wait(no_deadline)) {
      line_.take(taken);
      if (taken.empty()) continue;
      try {
        serve_(taken);
      } catch (...) {
        fail(taken, std::current_exception());
      }
      line_.finish(taken);
    }
  }
  /// One exception object for each: they end on different threads.
  static void fail(const std::vector<Request*>& taken, const std::exception_ptr& why) {
    for (Request* const one : taken) {
      try {
        std::rethrow_exception(why);
      } catch (const error& known) {
        one->error = std::make_exception_ptr(error(known));
      } catch (...) {
        one->error = taken.size() == 1 ? why
                                       : std::make_exception_ptr(error(
                                             errc::internal, "jobs: use the store: its thread was stopped"));
      }
    }
  }

  request_line<Request> line_;
  std::size_t together_;
  server serve_;
};

}  // namespace weft::inline v1::jobs::postgres
