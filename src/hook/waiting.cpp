#include "hook/waiting.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <atomic>

#include "hook/real_call.hpp"

namespace weft::inline v1::hook {
namespace {

waited outcome_of(int result) noexcept {
  if (result == 0) return waited::ready;
  if (result == engine::bound_passed) return waited::bound_over;
  switch (-result) {
    case ECANCELED:
    case ETIMEDOUT:
    case EBADF:
    case ENOMEM:
      errno = -result;
      return waited::failed;
    default:
      return waited::cannot;
  }
}

class set_of_descriptors;

constinit pthread_mutex_t sets_mutex = PTHREAD_MUTEX_INITIALIZER;
constinit set_of_descriptors* sets = nullptr;  // guarded by sets_mutex: those in which a fiber waits
constinit std::atomic<int> sets_count{0};

/// An epoll set for one wait: for several descriptors at once, for one that another fiber waits for too, and
/// for events that the loops do not know.
class set_of_descriptors {
 public:
  set_of_descriptors(const pollfd* all, nfds_t count) noexcept
      : all_(all), count_(count), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) return;
    // Known first: whatever is closed after it was added is told.
    sets_count.fetch_add(1);
    pthread_mutex_lock(&sets_mutex);
    next_ = sets;
    sets = this;
    pthread_mutex_unlock(&sets_mutex);
    for (nfds_t i = 0; i < count && is_good_; ++i) is_good_ = add(all[i]);
  }
  set_of_descriptors(const set_of_descriptors&) = delete;
  set_of_descriptors& operator=(const set_of_descriptors&) = delete;
  ~set_of_descriptors() {
    if (epoll_ < 0) return;
    pthread_mutex_lock(&sets_mutex);
    set_of_descriptors** link = &sets;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    pthread_mutex_unlock(&sets_mutex);
    sets_count.fetch_sub(1);
    if (alarm_ >= 0) real::close(alarm_);
    real::close(epoll_);
  }

  waited wait(const engine& of, std::int64_t until, const char* what) noexcept {
    if (epoll_ < 0 || !is_good_) return waited::cannot;
    const int result = of.wait_descriptor(epoll_, POLLIN, until, what);
    if (lost() >= 0) return outcome_of(-EBADF);
    if (result != 0) return outcome_of(result);
    epoll_event events[16];
    real::epoll_wait(epoll_, events, 16, 0);
    return waited::ready;
  }

  /// The first one that was closed meanwhile; -1: none.
  int lost() const noexcept { return lost_.load(); }

  static void lose(unsigned first, unsigned last) noexcept {
    pthread_mutex_lock(&sets_mutex);
    for (set_of_descriptors* one = sets; one != nullptr; one = one->next_) one->lose_own(first, last);
    pthread_mutex_unlock(&sets_mutex);
  }

 private:
  // Edges only: what the caller does not want, a hang-up say, is told once and not again and again. He looks
  // at all of the state after each, so nothing is lost by that.
  bool add(const pollfd& one) noexcept {
    if (one.fd < 0) return true;
    epoll_event event{};
    event.events = static_cast<std::uint32_t>(static_cast<unsigned short>(one.events)) | EPOLLET;
    event.data.fd = one.fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event) == 0) return true;
    if (errno == EPERM || errno == EBADF) return true;  // a file, which is always ready; nothing to wait for
    if (errno != EEXIST) return false;
    for (nfds_t i = 0; i < count_; ++i) {
      if (all_[i].fd == one.fd) event.events |= static_cast<unsigned short>(all_[i].events);
    }
    return epoll_ctl(epoll_, EPOLL_CTL_MOD, one.fd, &event) == 0;
  }

  void lose_own(unsigned first, unsigned last) noexcept {
    for (nfds_t i = 0; i < count_; ++i) {
      const auto fd = static_cast<unsigned>(all_[i].fd);
      if (all_[i].fd < 0 || fd < first || fd > last) continue;
      if (lost() >= 0) return;
      lost_.store(all_[i].fd);
      // Who waits for the set is woken, and who is about to will not begin to.
      epoll_event event{};
      event.events = EPOLLIN;
      alarm_ = eventfd(1, EFD_CLOEXEC);
      if (alarm_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, alarm_, &event) != 0)
        this_thread.of->closing(static_cast<unsigned>(epoll_), static_cast<unsigned>(epoll_));
      return;
    }
  }

  const pollfd* const all_;  // on the waiting fiber's stack, or beyond it
  const nfds_t count_;
  const int epoll_;
  bool is_good_ = true;
  std::atomic<int> lost_{-1};
  int alarm_ = -1;                      // guarded by sets_mutex: can be read once one was lost
  set_of_descriptors* next_ = nullptr;  // guarded by sets_mutex
};

}  // namespace

waited wait_at(const engine& of, int fd, std::uint32_t events, std::int64_t until,
               const char* what) noexcept {
  if (is_other_process()) return waited::cannot;
  const int result = of.wait_descriptor(fd, events, until, what);
  if (result != -EBUSY) return outcome_of(result);
  const pollfd one{fd, static_cast<short>(events), 0};
  set_of_descriptors own(&one, 1);
  return own.wait(of, until, what);
}

waited wait_at_any(const engine& of, const pollfd* all, nfds_t count, std::int64_t until, const char* what,
                   look_at_all look, int& closed) noexcept {
  if (is_other_process()) return waited::cannot;
  constexpr int known = POLLIN | POLLOUT | POLLPRI;
  if (count == 1 && all->fd >= 0 && all->events != 0 && (all->events & ~known) == 0) {
    const int result = of.wait_descriptor(all->fd, static_cast<std::uint32_t>(all->events), until, what);
    if (result == -EBADF) closed = all->fd;
    if (result == 0 && look.look(look.with)) return waited::ready;
    if (result != 0 && result != -EBUSY) return outcome_of(result);
    // Something came that the caller does not want, or another fiber waits there.
  }
  set_of_descriptors own(all, count);
  for (;;) {
    const waited outcome = own.wait(of, until, what);
    closed = own.lost();
    if (outcome != waited::ready || look.look(look.with)) return outcome;
  }
}

bool sleep_here(const engine& of, std::int64_t until) noexcept {
  const int result = of.sleep(until);
  if (result == 0) return true;
  errno = -result;
  return false;
}

std::int64_t bound_after(const engine& of, std::int64_t nanoseconds) noexcept {
  if (nanoseconds < 0) return engine::never;
  const std::int64_t now = of.now();
  return nanoseconds > engine::never - now ? engine::never : now + nanoseconds;
}

void wake_closed(unsigned first, unsigned last) noexcept {
  if (sets_count.load() > 0) set_of_descriptors::lose(first, last);
}

}  // namespace weft::inline v1::hook
