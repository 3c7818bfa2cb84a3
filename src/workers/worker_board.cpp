#include "workers/worker_board.hpp"

#include <cerrno>
#include <new>

#include <sys/mman.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::workers::detail {

namespace {

constexpr std::size_t slots_in_piece = 64;
constexpr std::size_t piece_bytes_of_board = slots_in_piece * sizeof(worker_slot);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "the slots are shared between processes");

}  // namespace

worker_board::~worker_board() {
  for (void* const one : pieces_) ::munmap(one, piece_bytes_of_board);
}

void worker_board::grow() {
  void* const piece =
      ::mmap(nullptr, piece_bytes_of_board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (piece == MAP_FAILED)
    throw system_error("workers: make memory that workers share with their server", errno);
  pieces_.push_back(piece);
  for (std::size_t i = slots_in_piece; i > 0; --i)
    free_.push_back(static_cast<worker_slot*>(piece) + (i - 1));
}

worker_slot* worker_board::take() {
  if (free_.empty()) grow();
  worker_slot* const slot = free_.back();
  free_.pop_back();
  return new (slot) worker_slot();
}

void worker_board::give_back(worker_slot* slot) {
  if (slot != nullptr) free_.push_back(slot);
}

}  // namespace weft::inline v1::workers::detail
