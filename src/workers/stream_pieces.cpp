#include "workers/stream_pieces.hpp"

#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// The writer may send on when so many bytes of its window were taken.
constexpr std::uint64_t granted_at_once = stream_window_bytes / 4;

}  // namespace

void stream_pieces::give_back(std::uint64_t taken) noexcept { to_grant_ += taken; }

std::uint64_t stream_pieces::take_grant() noexcept {
  if (to_grant_ < granted_at_once) return 0;
  under_way_ -= to_grant_;
  return std::exchange(to_grant_, 0);
}

void stream_pieces::add(bytes part, bool is_last) {
  const std::uint64_t taken = part.size() + stream_part_overhead;
  under_way_ += taken;
  if (under_way_ > stream_window_bytes) {
    throw error(errc::malformed, "workers: read a stream: more came than there was room for");
  }
  if (passes_over_) {
    give_back(taken);
    return;
  }
  if (coming_.whole.size() + part.size() > piece_bytes_max_) {
    throw error(errc::too_large, "workers: read a stream: a piece has more than " +
                                     std::to_string(piece_bytes_max_) + " bytes, which is message_bytes_max");
  }
  coming_.held_back += taken;
  if (coming_.whole.empty()) {
    coming_.whole = std::move(part);
  } else {
    coming_.whole.insert(coming_.whole.end(), part.begin(), part.end());
  }
  if (is_last) {
    kept_.push_back(std::exchange(coming_, {}));
  } else if (kept_.empty()) {
    // It may be longer than the window, and is what the reader waits for.
    give_back(std::exchange(coming_.held_back, 0));
  }
}

std::optional<bytes> stream_pieces::take() {
  if (kept_.empty()) return std::nullopt;
  auto piece = std::move(kept_.front());
  kept_.pop_front();
  give_back(piece.held_back);
  if (kept_.empty()) give_back(std::exchange(coming_.held_back, 0));
  return std::move(piece.whole);
}

void stream_pieces::pass_over() noexcept {
  passes_over_ = true;
  while (!kept_.empty()) {
    give_back(kept_.front().held_back);
    kept_.pop_front();
  }
  give_back(std::exchange(coming_.held_back, 0));
}

}  // namespace weft::inline v1::workers::detail
