#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::inline v1::workers::detail {

/// What a worker tells its server of itself, in memory that both have. Written by the worker. The server
/// shows it, counts by it, says less where it is set, and kills a worker whose call has taken too long by it;
/// nothing else hangs on it, as a worker may write anything.
struct alignas(64) worker_slot {
  std::atomic<std::uint64_t> checkouts{0};  ///< that have ended
  std::atomic<std::uint64_t> calls{0};      ///< that were begun
  std::atomic<std::int64_t> call_ends{0};   ///< when the first of them has to be over, by the steady clock
                                            ///< in nanoseconds; 0: none runs, or it may take any time
  std::atomic<std::uint32_t> running{0};    ///< calls
  std::atomic<bool> heard_client{false};    ///< its client has said something
  std::atomic<bool> is_native{false};       ///< its client learns from the server how it ended
  std::atomic<bool> is_recycled{false};     ///< it ends because it was used enough
};

/// The slots of a server's workers. Made before they are forked; grows by another piece of memory.
class worker_board {
 public:
  worker_board() = default;
  worker_board(const worker_board&) = delete;
  worker_board& operator=(const worker_board&) = delete;
  ~worker_board();

  /// An empty slot. Throws weft::error (resource_exhausted).
  worker_slot* take();
  void give_back(worker_slot* slot);

 private:
  void grow();

  std::vector<void*> pieces_;
  std::vector<worker_slot*> free_;
};

}  // namespace weft::inline v1::workers::detail
