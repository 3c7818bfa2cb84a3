#include "workers/event_set.hpp"

#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/core/milliseconds_until.hpp>

namespace weft::inline v1::workers::detail {

namespace {

constexpr std::size_t events_at_once = 64;
constexpr unsigned kind_bits = 4;

epoll_event wanted(event_kind kind, std::uint64_t id, event_set::what of) {
  epoll_event made{};
  if (of == event_set::what::input) made.events = EPOLLIN;
  if (of == event_set::what::new_input) made.events = EPOLLIN | EPOLLET;
  if (of == event_set::what::output) made.events = EPOLLOUT;
  // Files of the kernel show an error with it, always.
  if (of == event_set::what::exception) made.events = EPOLLPRI | EPOLLET;
  made.data.u64 = id << kind_bits | static_cast<std::uint64_t>(kind);
  return made;
}

}  // namespace

event_set::event_set() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), raw_(events_at_once) {
  if (!epoll_) throw system_error("workers: make the event set of the fork server", errno);
}

void event_set::watch(int fd, event_kind kind, std::uint64_t id, what of) {
  epoll_event how = wanted(kind, id, of);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &how) != 0) {
    throw system_error("workers: watch a descriptor of the fork server", errno);
  }
}

void event_set::change(int fd, event_kind kind, std::uint64_t id, what of) noexcept {
  epoll_event how = wanted(kind, id, of);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &how);
}

void event_set::forget(int fd) noexcept {
  if (fd >= 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

const std::vector<event>& event_set::wait(steady_time until) {
  seen_.clear();
  const int count = ::epoll_wait(epoll_.get(), raw_.data(), static_cast<int>(raw_.size()),
                                 weft::detail::milliseconds_until(until));
  for (int i = 0; i < count; ++i) {
    const auto& one = raw_[static_cast<std::size_t>(i)];
    seen_.push_back({static_cast<event_kind>(one.data.u64 & ((1U << kind_bits) - 1)),
                     one.data.u64 >> kind_bits, (one.events & EPOLLIN) != 0,
                     (one.events & (EPOLLHUP | EPOLLERR)) != 0});
  }
  return seen_;
}

}  // namespace weft::inline v1::workers::detail
