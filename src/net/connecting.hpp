#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

#include "net/address.hpp"

namespace weft::inline v1::net::detail {

/// RFC 8305: an attempt has this long to itself.
inline constexpr std::chrono::milliseconds next_attempt_after{250};

/// The order in which addresses are tried: families in turn, beginning with that of the first; within a
/// family as they were.
std::vector<address> interleaved(std::vector<address> all);

struct connected {
  unique_fd fd;
  io_handle io;
};

/// Connects to the first of `all` that answers. `name` is for errors. See stream::connect.
connected connect_to_any(const std::string& name, std::vector<address> all, steady_time until);

}  // namespace weft::inline v1::net::detail
