#include "hook/polling.hpp"

#include <cstdlib>
#include <cstring>

namespace weft::inline v1::hook {
namespace {

/// Looks, and waits where there is nothing. `block` makes the call that blocks; `lost(fd)` gives the result
/// where one was closed meanwhile, with errno EBADF.
template <typename Look, typename Block, typename Lost>
int look_until_seen(const engine& of, const pollfd* all, nfds_t count, std::int64_t bound, const char* what,
                    Look&& look, Block&& block, Lost&& lost) noexcept {
  const errno_before before;
  const std::int64_t until = bound_after(of, bound);
  int result = look();
  if (result != 0 || bound == 0) return before.keep(result);
  struct one_look {
    Look& look;
    int& result;
  } asked{look, result};
  const look_at_all content{[](void* with) noexcept {
                              auto& one = *static_cast<one_look*>(with);
                              one.result = one.look();
                              return one.result != 0;
                            },
                            &asked};
  int closed = -1;
  switch (wait_at_any(of, all, count, until, what, content, closed)) {
    case waited::ready:
      return before.keep(result);
    case waited::bound_over:
      return before.keep(look());
    case waited::failed:
      return closed < 0 ? -1 : before.keep(lost(closed));
    case waited::cannot:
      break;
  }
  return block();
}

int fail(int /*closed*/) noexcept { return -1; }

/// The sets of a select, which it overwrites.
class chosen_sets {
 public:
  chosen_sets(int count, fd_set* read, fd_set* write, fd_set* except) noexcept
      : count_(count), sets_{read, write, except} {
    for (int i = 0; i < 3; ++i) {
      if (sets_[i] != nullptr) std::memcpy(&wanted_[i], sets_[i], bytes());
    }
  }
  /// select without a wait.
  int look() noexcept {
    restore();
    timeval none{};
    return real::select(count_, sets_[0], sets_[1], sets_[2], &none);
  }
  void restore() noexcept {
    for (int i = 0; i < 3; ++i) {
      if (sets_[i] != nullptr) std::memcpy(sets_[i], &wanted_[i], bytes());
    }
  }
  /// As a list for poll; `into` has room for all. Gives the number.
  nfds_t list(pollfd* into) const noexcept {
    constexpr short events[3] = {POLLIN, POLLOUT, POLLPRI};
    nfds_t listed = 0;
    for (int fd = 0; fd < count_; ++fd) {
      short wants = 0;
      for (int i = 0; i < 3; ++i) {
        if (sets_[i] != nullptr && FD_ISSET(fd, &wanted_[i])) wants = static_cast<short>(wants | events[i]);
      }
      if (wants != 0) into[listed++] = {fd, wants, 0};
    }
    return listed;
  }

 private:
  // What a caller with few descriptors owns may be smaller than a whole fd_set.
  std::size_t bytes() const noexcept {
    constexpr int word_bits = 8 * sizeof(long);
    return static_cast<std::size_t>((count_ + word_bits - 1) / word_bits) * sizeof(long);
  }
  const int count_;
  fd_set* const sets_[3];
  fd_set wanted_[3];
};

}  // namespace

int poll_here(const engine& of, pollfd* all, nfds_t count, std::int64_t bound) noexcept {
  const auto block = [&] {
    return real::poll(all, count, bound < 0 ? -1 : static_cast<int>(bound / 1'000'000));
  };
  const auto look = [&] { return real::poll(all, count, 0); };
  const auto tell = [&](int closed) {
    int told = look();
    for (nfds_t i = 0; i < count && told >= 0; ++i) {
      if (all[i].fd != closed) continue;
      if (all[i].revents == 0) ++told;
      all[i].revents = POLLNVAL;
    }
    return told;
  };
  return look_until_seen(of, all, count, bound, "poll", look, block, tell);
}

int select_here(const engine& of, int count, fd_set* read, fd_set* write, fd_set* except,
                std::int64_t bound) noexcept {
  const auto block_with = [&] {
    timeval time{static_cast<time_t>(bound / 1'000'000'000),
                 static_cast<suseconds_t>(bound / 1000 % 1'000'000)};
    return real::select(count, read, write, except, bound < 0 ? nullptr : &time);
  };
  if (count < 0 || count > FD_SETSIZE) return block_with();
  auto* const all = static_cast<pollfd*>(std::malloc((static_cast<std::size_t>(count) + 1) * sizeof(pollfd)));
  if (all == nullptr) return block_with();
  chosen_sets sets(count, read, write, except);
  const nfds_t listed = sets.list(all);
  const int result = look_until_seen(
      of, all, listed, bound, "select", [&] { return sets.look(); },
      [&] {
        sets.restore();
        return block_with();
      },
      fail);
  const int failed = errno;
  if (result < 0) sets.restore();
  std::free(all);
  errno = failed;
  return result;
}

int epoll_wait_here(const engine& of, int epoll, epoll_event* into, int most, std::int64_t bound) noexcept {
  const auto ask = [&](int timeout_ms) { return real::epoll_wait(epoll, into, most, timeout_ms); };
  const pollfd own{epoll, POLLIN, 0};
  return look_until_seen(
      of, &own, 1, bound, "epoll_wait", [&] { return ask(0); },
      [&] { return ask(bound < 0 ? -1 : static_cast<int>(bound / 1'000'000)); }, fail);
}

}  // namespace weft::inline v1::hook
