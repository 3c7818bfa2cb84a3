#include <weft/core/started_thread.hpp>

#include <pthread.h>
#include <signal.h>
#include <atomic>
#include <system_error>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::detail {
namespace {

std::atomic<std::size_t> threads_alive{0};
[[maybe_unused]] const int child_has_no_threads =
    pthread_atfork(nullptr, nullptr, [] { threads_alive.store(0, std::memory_order_relaxed); });

/// Blocks all signals but those of faults while it lives: a thread that is made inherits that.
class signals_blocked {
 public:
  explicit signals_blocked(thread_signals signals) : active_(signals == thread_signals::blocked) {
    if (!active_) return;
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
      sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() {
    if (active_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  bool active_;
  sigset_t before_{};
};

struct thread_body {
  unique_function<void()> work;

  void operator()() {
    work();
    work.reset();
    threads_alive.fetch_sub(1, std::memory_order_release);
  }
};

}  // namespace

started_thread::started_thread(std::string name, thread_signals signals, unique_function<void()> work) {
  if (oracle* const simulated = oracle::current()) {
    simulated_ = simulated->start_thread(std::move(name), std::move(work));
    return;
  }
  constexpr std::size_t kernel_name_max = 15;
  const signals_blocked inherited_by_the_thread(signals);
  threads_alive.fetch_add(1, std::memory_order_relaxed);
  try {
    real_ = std::thread(thread_body{std::move(work)});
  } catch (const std::system_error& failed) {
    threads_alive.fetch_sub(1, std::memory_order_relaxed);
    throw system_error("start the thread \"" + name + '"', failed.code().value());
  } catch (...) {
    threads_alive.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
  pthread_setname_np(real_.native_handle(), name.substr(0, kernel_name_max).c_str());
}

void started_thread::join() {
  if (simulated_ != nullptr) {
    std::exchange(simulated_, nullptr)->join();
  } else {
    real_.join();
  }
}

void started_thread::detach() {
  if (simulated_ != nullptr) {
    simulated_.reset();
  } else {
    real_.detach();
  }
}

std::size_t started_thread::count() noexcept { return threads_alive.load(std::memory_order_acquire); }

}  // namespace weft::inline v1::detail
