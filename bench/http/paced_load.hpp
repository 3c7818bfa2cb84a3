#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weft::bench {

/// What became of requests that were sent by the clock, and are counted.
struct paced_result {
  double seconds = 0;
  std::size_t turned_away = 0;       ///< answered with 503
  std::vector<double> latencies_us;  ///< of those that were served, from when they were due
};

/// Asks for /work `rate` times a second, whatever the server does, as many clients do that know nothing of
/// each other. A request that finds no connection free is left out. An epoll loop of its own; nothing of
/// weft.
class paced_load {
 public:
  paced_load(int port, std::size_t connections);
  paced_load(const paced_load&) = delete;
  paced_load& operator=(const paced_load&) = delete;
  ~paced_load();

  /// Asks for `lead_seconds` and then for `seconds`, which are counted: by the moment when a request was due.
  /// Throws std::runtime_error for an answer that is neither 200 nor 503.
  paced_result run(double rate, double lead_seconds, double seconds);

 private:
  struct link {
    int fd = -1;
    std::string answer;
    double due_us = 0;
  };
  void receive(link& on, paced_result& into, double counted_from_us);

  int epoll_ = -1;
  std::vector<link> links_;
  std::vector<link*> free_;
};

}  // namespace weft::bench
