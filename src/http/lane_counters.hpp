#pragma once

#include <atomic>
#include <cstdint>

namespace weft::inline v1::http::detail {

/// Counts on one thread, is read by any.
class counter {
 public:
  void operator++() noexcept { value_.store(value() + 1, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// As in server_statistics.
struct lane_counters {
  counter connections_total;
  counter requests;
  counter refused_requests;
  counter refused_connections;
  counter failed_handshakes;
  counter abandoned_requests;
  counter shed_requests;
  counter http2_connections;
  counter http2_violations;
};

}  // namespace weft::inline v1::http::detail
