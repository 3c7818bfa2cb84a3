#pragma once

#include <netdb.h>
#include <cstdlib>

#include "hook/names.hpp"

namespace weft::inline v1::hook {

/// Where the `_r` form of a call puts what it found, in one piece of memory.
struct host_room {
  hostent entry;
  std::size_t text_bytes;
  char* text() noexcept { return reinterpret_cast<char*>(this + 1); }

  /// Null where there is no memory.
  static host_room* make(std::size_t text_bytes) noexcept;
};

/// Keeps it for the calling thread until its next one, and until the thread ends. Null with errno and h_errno
/// where that cannot be; `room` is gone then.
hostent* keep_for_thread(host_room* room) noexcept;

/// gethostbyname and its kin: `ask(room, found, failed)` makes the call's `_r` form, on another thread.
/// libc's own would answer all threads of the pool in one place.
template <typename Ask>
hostent* host_by(const engine& of, Ask&& ask) noexcept {
  constexpr std::size_t text_bytes_max = std::size_t{1} << 20;
  host_room* room = nullptr;
  hostent* found = nullptr;
  call_on_thread(of, [&] {
    int failed = NETDB_INTERNAL;
    for (std::size_t bytes = 1024; bytes <= text_bytes_max; bytes *= 2) {
      std::free(room);
      room = host_room::make(bytes);
      if (room == nullptr || ask(*room, &found, &failed) != ERANGE || failed != NETDB_INTERNAL) break;
    }
    if (found == nullptr) h_errno = failed;
  });
  if (found != nullptr) return keep_for_thread(room);
  const errno_before failed;
  std::free(room);
  failed.keep(0);
  return nullptr;
}

}  // namespace weft::inline v1::hook
