#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weft_test {

/// Clients of an HTTP server on loopback that take their time: most send a head, a body or a chunked body a
/// byte at a time and never come to its end, some send nothing at all, and one in twenty reads a large answer
/// a byte at a time. On a thread of its own, and with nothing of weft. The server needs POST /slow, and GET
/// /large, which is more than the kernel keeps for a connection.
///
/// Thread-safety: any thread.
class slow_clients {
 public:
  /// Begins to connect `count` of them; each sends its next byte `pause` after the one before.
  slow_clients(int port, std::size_t count, std::chrono::milliseconds pause);
  slow_clients(const slow_clients&) = delete;
  slow_clients& operator=(const slow_clients&) = delete;
  /// Closes them.
  ~slow_clients();

  /// How often each has sent or read a byte.
  std::size_t rounds() const noexcept { return rounds_; }
  /// Those whose connection the server has closed; readers do not notice it.
  std::size_t ended() const noexcept { return ended_; }
  /// Those that could not connect.
  std::size_t failed() const noexcept { return failed_; }

 private:
  enum class manner : unsigned char { head, body, chunks, silent, reader };
  struct client {
    int fd = -1;
    manner how = manner::head;
    std::string head = {};  // still to be sent, a byte at a time or, for what is no head, at once
    std::size_t sent = 0;   // of it
  };

  static client connect(int port, manner how);
  /// False where the server has closed it.
  static bool go_on(client& with);
  void run(int port, std::size_t count, std::chrono::milliseconds pause);
  /// True where it is over.
  bool wait(std::chrono::microseconds pause);

  std::atomic<std::size_t> rounds_ = 0;
  std::atomic<std::size_t> ended_ = 0;
  std::atomic<std::size_t> failed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;            // guarded by mutex_
  std::vector<client> clients_;  // the thread's
  std::thread thread_;
};

}  // namespace weft_test
