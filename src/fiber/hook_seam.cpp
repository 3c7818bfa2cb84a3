#include "fiber/hook_seam.hpp"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/hook_engine.hpp>

#include "fiber/guest_wait.hpp"
#include "fiber/runtime.hpp"

namespace weft::inline v1::detail {
namespace {

steady_time time_of(std::int64_t nanoseconds) noexcept {
  return nanoseconds == hook_engine::never ? no_deadline : steady_time(std::chrono::nanoseconds(nanoseconds));
}

int errno_of(const error& failed) noexcept {
  switch (failed.code()) {
    case errc::busy:
      return EBUSY;
    case errc::closed:
    case errc::invalid_argument:
      return EBADF;
    case errc::resource_exhausted:
      return EAGAIN;
    default:
      return ENOTSUP;
  }
}

/// Calls `wait` between frames of C: what it throws becomes an errno.
template <typename Wait>
int without_exceptions(Wait&& wait) noexcept {
  try {
    return wait();
  } catch (const cancelled& given_up) {
    return given_up.reason() == cancel_reason::deadline ? -ETIMEDOUT : -ECANCELED;
  } catch (const error& failed) {
    return -errno_of(failed);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

bool may_wait() noexcept {
  const task_block* const task = task_block::current_or_null();
  return task != nullptr && task->is_fiber() && task->no_wait == nullptr;
}

std::uint64_t task_id() noexcept { return task_block::current().id(); }

std::int64_t now() noexcept {
  return std::chrono::nanoseconds(steady_clock::now().time_since_epoch()).count();
}

int wait_descriptor(int fd, std::uint32_t events, std::int64_t until, const char* what) noexcept {
  return without_exceptions(
      [&] { return wait_as_guest(fd, events, time_of(until), what) != 0 ? 0 : hook_engine::bound_passed; });
}

int sleep(std::int64_t until) noexcept {
  return without_exceptions([&] {
    sleep_until(time_of(until));
    return 0;
  });
}

void yield_turn() noexcept {
  without_exceptions([] {
    weft::yield();
    return 0;
  });
}

int run_blocking(void (*work)(void*), void* argument) noexcept {
  return without_exceptions([&] {
    blocking([&] { work(argument); });
    return 0;
  });
}

/// A reference to what the library lent.
class lent {
 public:
  lent(void* what, void (*release)(void*)) noexcept : what_(what), release_(release) {}
  lent(lent&& other) noexcept : what_(std::exchange(other.what_, nullptr)), release_(other.release_) {}
  lent(const lent&) = delete;
  lent& operator=(const lent&) = delete;
  ~lent() {
    if (what_ != nullptr) release_(what_);
  }
  void* get() const noexcept { return what_; }

 private:
  void* what_;
  void (*release_)(void*);
};

int run_abandonable(void (*work)(void*), void* argument, void (*release)(void*)) noexcept {
  lent kept(argument, release);
  return without_exceptions([&] {
    blocking_until(no_deadline, [work, kept = std::move(kept)] { work(kept.get()); });
    return 0;
  });
}

void closing(unsigned first, unsigned last) noexcept {
  scheduler* const here = scheduler::current();
  if (here == nullptr || here->is_simulated()) return;
  for (scheduler* const loop : here->of().loops()) loop->io().table().forget(first, last);
}

constexpr hook_engine engine{&may_wait,     &task_id,         &now,    &wait_descriptor, &sleep, &yield_turn,
                             &run_blocking, &run_abandonable, &closing};

template <typename Function>
Function exported(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

/// Before main, and before the program has handlers of signals.
[[maybe_unused]] const bool told = [] {
  const auto tell = exported<hook_program_function>(hook_program_name);
  if (tell != nullptr) tell();
  return tell != nullptr;
}();

void tell_thread(const hook_engine* of) noexcept {
  static const auto tell = exported<hook_thread_function>(hook_thread_name);
  if (tell != nullptr) tell(of);
}

}  // namespace

hooked_thread::hooked_thread() noexcept { tell_thread(&engine); }
hooked_thread::~hooked_thread() { tell_thread(nullptr); }

}  // namespace weft::inline v1::detail
