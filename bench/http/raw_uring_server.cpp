#include "http/raw_uring_server.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "http/raw_server.hpp"

namespace weft::bench {
namespace {

constexpr unsigned submissions = 512;
constexpr unsigned completions = 8 * submissions;
constexpr unsigned buffers = 256;
constexpr unsigned buffer_bytes = 4096;

enum class about : std::uint32_t { accepted, readable, received, stop, nothing };

void check(int result, const char* what) {
  if (result >= 0) return;
  errno = -result;
  fail(what);
}

/// What the kernel receives into, one of them for each receipt.
class buffer_ring {
 public:
  explicit buffer_ring(io_uring& of)
      : ready_(static_cast<io_uring_buf_ring*>(std::aligned_alloc(4096, sizeof(io_uring_buf) * buffers))) {
    if (!ready_) throw std::bad_alloc();
    io_uring_buf_ring_init(ready_.get());
    io_uring_buf_reg wanted{};
    wanted.ring_addr = reinterpret_cast<std::uintptr_t>(ready_.get());
    wanted.ring_entries = buffers;
    check(io_uring_register_buf_ring(&of, &wanted, 0), "io_uring_register_buf_ring");
    for (unsigned i = 0; i < buffers; ++i) give(i);
  }

  const char* at(unsigned number) const { return bytes_.data() + std::size_t{number} * buffer_bytes; }
  void give(unsigned number) {
    io_uring_buf_ring_add(ready_.get(), bytes_.data() + std::size_t{number} * buffer_bytes, buffer_bytes,
                          static_cast<unsigned short>(number), io_uring_buf_ring_mask(buffers), 0);
    io_uring_buf_ring_advance(ready_.get(), 1);
  }

 private:
  struct releaser {
    void operator()(io_uring_buf_ring* ring) const { std::free(ring); }
  };
  std::unique_ptr<io_uring_buf_ring, releaser> ready_;
  std::vector<char> bytes_ = std::vector<char>(std::size_t{buffers} * buffer_bytes);
};

class server {
 public:
  explicit server(uring_use how) : how_(how) {
    io_uring_params wanted{};
    wanted.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    wanted.cq_entries = completions;
    check(io_uring_queue_init_params(submissions, &ring_, &wanted), "io_uring_queue_init");
    if (how_ == uring_use::completions) received_ = std::make_unique<buffer_ring>(ring_);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() { io_uring_queue_exit(&ring_); }

  void serve(int listener, int stop_fd) {
    io_uring_sqe* entry = next();
    const int flags = SOCK_CLOEXEC | (how_ == uring_use::readiness ? SOCK_NONBLOCK : 0);
    io_uring_prep_multishot_accept(entry, listener, nullptr, nullptr, flags);
    say_about(entry, about::accepted, listener);
    entry = next();
    io_uring_prep_poll_add(entry, stop_fd, POLLIN | POLLHUP);
    say_about(entry, about::stop, stop_fd);
    for (bool goes_on = true; goes_on;) {
      check(io_uring_submit_and_wait(&ring_, 1), "io_uring_submit_and_wait");
      unsigned head = 0;
      unsigned seen = 0;
      io_uring_cqe* one = nullptr;
      io_uring_for_each_cqe(&ring_, head, one) {
        ++seen;
        goes_on = take(*one) && goes_on;
      }
      io_uring_cq_advance(&ring_, seen);
    }
  }

 private:
  static void say_about(io_uring_sqe* entry, about what, int fd) {
    io_uring_sqe_set_data64(
        entry, std::uint64_t{static_cast<std::uint32_t>(what)} << 32 | static_cast<std::uint32_t>(fd));
  }

  io_uring_sqe* next() {
    if (io_uring_sqe* const entry = io_uring_get_sqe(&ring_)) return entry;
    check(io_uring_submit(&ring_), "io_uring_submit");
    return io_uring_get_sqe(&ring_);
  }

  void watch(int fd) {
    io_uring_sqe* const entry = next();
    if (how_ == uring_use::readiness) {
      io_uring_prep_poll_multishot(entry, fd, POLLIN | POLLRDHUP);
      say_about(entry, about::readable, fd);
    } else {
      io_uring_prep_recv_multishot(entry, fd, nullptr, 0, 0);
      entry->flags |= IOSQE_BUFFER_SELECT;
      say_about(entry, about::received, fd);
    }
  }

  /// False: to stop.
  bool take(const io_uring_cqe& one) {
    const auto what = static_cast<about>(one.user_data >> 32);
    const int fd = static_cast<int>(one.user_data & 0xffffffff);
    if (what == about::stop) return false;
    if (what == about::accepted && one.res >= 0) {
      send_at_once(one.res);
      watch(one.res);
    } else if (what == about::readable) {
      if (!serve_what_came(fd)) {
        end_polled(fd);
      } else if ((one.flags & IORING_CQE_F_MORE) == 0) {
        watch(fd);
      }
    } else if (what == about::received) {
      take_received(one, fd);
    }
    return true;
  }

  // The poll holds the socket: without its end the peer would see none.
  void end_polled(int fd) {
    io_uring_sqe* const entry = next();
    io_uring_prep_poll_remove(entry, std::uint64_t{static_cast<std::uint32_t>(about::readable)} << 32 |
                                         static_cast<std::uint32_t>(fd));
    say_about(entry, about::nothing, fd);
    ::close(fd);
  }

  void take_received(const io_uring_cqe& one, int fd) {
    if (one.res <= 0 && one.res != -ENOBUFS) {
      ::close(fd);
      return;
    }
    if (one.res > 0) {
      const unsigned number = one.flags >> IORING_CQE_BUFFER_SHIFT;
      for_each_request({received_->at(number), static_cast<std::size_t>(one.res)}, [&] { answer(fd); });
      received_->give(number);
    }
    if ((one.flags & IORING_CQE_F_MORE) == 0) watch(fd);
  }

  void answer(int fd) {
    io_uring_sqe* const entry = next();
    io_uring_prep_send(entry, fd, raw_answer.data(), raw_answer.size(), MSG_NOSIGNAL);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    say_about(entry, about::nothing, fd);
  }

  const uring_use how_;
  io_uring ring_{};
  std::unique_ptr<buffer_ring> received_;
};

}  // namespace

void serve_raw_uring(uring_use how, int stop_fd, const std::function<void(int port)>& ready) {
  int port = 0;
  const int listener = listen_on_any_port(port);
  server serving(how);
  ready(port);
  serving.serve(listener, stop_fd);
}

}  // namespace weft::bench
