#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weft::bench {

/// What a client says on each connection.
struct conversation {
  std::string greeting = {};  ///< once, before all else; answered by a head
  std::string request = "GET /hello/world HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  std::string answer_begin = "HTTP/1.1 200 OK\r\n";
  std::string answer_end = "Hello world!";  ///< of each answer; all are of one length
};

/// What a load found.
struct load_result {
  double seconds = 0;
  std::vector<double> latencies_us;  ///< one for each request
};

/// Keeps connections to a server on loopback and asks: on each connection one request at a time, the next as
/// soon as the answer is complete. An epoll loop of its own; nothing of weft.
class load {
 public:
  load(int port, std::size_t connections, conversation what = {});
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
  std::size_t measure_answer(int fd) const;
  void send_one(link& on);
  bool receive(link& on);

  const conversation what_;
  int epoll_ = -1;
  std::vector<link> links_;
  std::size_t answer_bytes_ = 0;
};

}  // namespace weft::bench
