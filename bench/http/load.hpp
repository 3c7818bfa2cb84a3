#pragma once

#include <cstddef>
#include <vector>

namespace weft::bench {

/// What a load found.
struct load_result {
  double seconds = 0;
  std::vector<double> latencies_us;  ///< one for each request
};

/// Keeps connections to a server on loopback and asks for hello: on each connection one request at a
/// time, the next as soon as the answer is complete. An epoll loop of its own; nothing of weft.
class load {
 public:
  load(int port, std::size_t connections);
  load(const load&) = delete;
  load& operator=(const load&) = delete;
  ~load();

  /// Sends `requests` requests and waits for all answers. Throws std::runtime_error for a wrong one.
  load_result run(std::size_t requests);

 private:
  struct link {
    int fd = -1;
    std::size_t received = 0;
    double since = 0;
  };
  void send_one(link& on);
  bool receive(link& on);

  int epoll_ = -1;
  std::vector<link> links_;
  std::size_t answer_bytes_ = 0;  // all answers are of one length
};

}  // namespace weft::bench
