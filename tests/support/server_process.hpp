#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weft_test {

/// A server of somebody else that a test starts. It ends with the object, and with the test program however
/// that ends.
///
/// Thread-safety: one thread.
class server_process {
 public:
  struct options {
    std::vector<std::string> command;  ///< the program by its path, and its arguments
    std::string user = {};             ///< whom it runs as where the test is root; empty: as the test
    int stop_signal = 15;
    std::string network = {};  ///< namespace of `ip netns` that it runs in; needs root
  };
  /// Starts it. Throws weft::error.
  explicit server_process(options how);
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  ~server_process();

  /// Waits until it has written a line with `text` in it. Throws weft::error with what it wrote, where it
  /// ended before.
  void wait_for_output(const std::string& text);
  /// What it has written so far.
  std::string output();
  pid_t id() const noexcept { return id_; }
  /// Waits for its end and gives the status, as of waitpid.
  int wait();

 private:
  void read_output();
  const options how_;
  pid_t id_ = -1;
  int output_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string written_;     // guarded by mutex_
  bool has_ended_ = false;  // guarded by mutex_
  std::thread reader_;
};

/// Is the test root, who must not run some servers?
bool is_root() noexcept;
/// Gives `path` to `user`. Throws weft::error.
void give_to(const std::string& path, const std::string& user);

}  // namespace weft_test
