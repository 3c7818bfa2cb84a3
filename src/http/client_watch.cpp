#include "http/client_watch.hpp"

#include <poll.h>

#include <array>
#include <cstddef>
#include <span>

#include <weft/fiber/fiber.hpp>

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t at_once = 128;

}  // namespace

client_watch::watched::watched(client_watch& by) noexcept
    : place{by.all_.before, &by.all_}, since_(by.rounds_) {
  before->behind = this;
  behind->before = this;
  if (by.sleeps_) {
    by.sleeps_ = false;
    by.wanted_.set();
  }
}

client_watch::watched::~watched() {
  before->behind = behind;
  behind->before = before;
}

void client_watch::run() {
  while (true) {
    wanted_.wait();
    wanted_.reset();
    do {  // at least once, so that short requests do not wake it each
      sleep_for(round);
      look();
      ++rounds_;
    } while (all_.behind != &all_);
    sleeps_ = true;
  }
}

/// The list does not change meanwhile: nothing here waits, and who is told goes on later.
void client_watch::look() const {
  std::array<watched*, at_once> who;
  std::array<pollfd, at_once> sockets;
  std::size_t count = 0;
  const auto look_at_those = [&] {
    if (count > 0 && ::poll(sockets.data(), count, 0) > 0) {
      for (std::size_t i = 0; i < count; ++i) {
        const short came = sockets[i].revents;
        const bool broken = (came & (POLLHUP | POLLERR)) != 0;
        const bool ended = (came & POLLRDHUP) != 0 && who[i]->has_ended();
        if (broken || ended) who[i]->client_left();
      }
    }
    count = 0;
  };
  for (place* at = all_.behind; at != &all_; at = at->behind) {
    watched* const one = static_cast<watched*>(at);
    if (one->since() == rounds_) break;  // and those behind it
    who[count] = one;
    sockets[count] = {one->socket(), POLLRDHUP, 0};
    if (++count == at_once) look_at_those();
  }
  look_at_those();
}

}  // namespace weft::inline v1::http::detail
