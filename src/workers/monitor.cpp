#include "workers/monitor.hpp"

#include <string>

#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

void send_monitor(const unique_fd& monitor, const monitor_message& what, const std::vector<int>& descriptors,
                  std::string_view text) {
  if (!monitor) return;
  std::string bytes(reinterpret_cast<const char*>(&what), sizeof what);
  bytes += text;
  process::send_with_descriptors(monitor.get(), bytes, descriptors);
}

}  // namespace weft::inline v1::workers::detail
