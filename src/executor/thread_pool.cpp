#include <weft/executor/thread_pool.hpp>

#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "executor/pool_core.hpp"

namespace weft::inline v1 {
namespace {

std::shared_ptr<detail::pool_core> make_pool(thread_pool_options options) {
  auto made = std::make_shared<detail::pool_core>(detail::pool_core::checked(std::move(options)));
  made->start();
  return made;
}

}  // namespace

thread_pool_options thread_pool_options::fixed(std::size_t threads, std::string name) {
  return {.threads = threads, .name = std::move(name)};
}

thread_pool_options thread_pool_options::cached(std::size_t threads_max, std::string name) {
  return {.threads = threads_max, .name = std::move(name), .idle_max = std::chrono::minutes(1)};
}

thread_pool_options thread_pool_options::single(std::string name) { return fixed(1, std::move(name)); }

thread_pool::thread_pool(thread_pool_options options) : thread_pool(make_pool(std::move(options))) {}
thread_pool::thread_pool(std::shared_ptr<detail::pool_core> core) : executor(std::move(core)) {}

thread_pool::~thread_pool() {
  pool().drain(no_deadline, {});
  pool().join_threads();
}

detail::pool_core& thread_pool::pool() const noexcept { return static_cast<detail::pool_core&>(*core()); }

void thread_pool::require_own(const char* what) const {
  if (!is_common_) return;
  throw error(errc::misuse, std::string(what) +
                                ": common_pool() belongs to the whole program and is not shut down; make a "
                                "thread_pool for work that must be over at some point");
}

void thread_pool::close() {
  require_own("thread_pool::close");
  pool().close();
}

shutdown_report thread_pool::shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace) {
  require_own("thread_pool::shutdown");
  if (runs_caller()) {
    throw error(errc::misuse, "thread_pool::shutdown: a task of \"" + std::string(name()) +
                                  "\" would wait for its own end; close() does not wait");
  }
  return pool().drain(deadline_after(bound), grace);
}

std::size_t thread_pool::threads() const noexcept { return pool().threads(); }
std::size_t thread_pool::queued() const noexcept { return pool().queued(); }

}  // namespace weft::inline v1
