#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/core/unique_fd.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/workers/errors.hpp>

namespace weft::inline v1::workers::detail {

/// What a monitor carries; one message each, both at most once, in this order.
struct monitor_message {
  enum class kind : std::uint32_t { started = 1, fork_failed = 2, ended = 3 };
  kind what{};
  std::int32_t pid = 0;              ///< of started; the pidfd comes along
  std::int32_t error = 0;            ///< errno of fork_failed
  process::exit_status status = {};  ///< of ended
  death_cause cause{};               ///< of ended
};
/// Behind an ended message comes the end of what the worker wrote to its standard error.
static_assert(std::is_trivially_copyable_v<monitor_message>);

/// Never waits. Nothing happens where there is no monitor, or nobody at its other end.
void send_monitor(const unique_fd& monitor, const monitor_message& what,
                  const std::vector<int>& descriptors = {}, std::string_view text = {});

}  // namespace weft::inline v1::workers::detail
