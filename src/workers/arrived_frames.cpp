#include "workers/arrived_frames.hpp"

#include <utility>

namespace weft::inline v1::workers::detail {

namespace {

// As the worker's window counts it; the end of a stream is not counted there.
std::uint64_t taken_of_window(const wire::frame& one) noexcept {
  if (static_cast<frame_type>(one.type) != frame_type::data_out) return 0;
  return one.payload.size() + stream_part_overhead;
}

}  // namespace

bool arrived_frames::add(list& one) noexcept {
  auto& added = one.front();
  added.order = ++last_order_;
  switch (const auto type = static_cast<frame_type>(added.frame.type)) {
    case frame_type::progress:
      if (keeps_progress_) add_note(one);
      return true;
    case frame_type::ask:
      if (asks_ == asks_open_max) return false;
      ++asks_;
      break;
    case frame_type::data_out:
    case frame_type::data_out_end:
      if (has_stream_ended_) return false;
      has_stream_ended_ = type == frame_type::data_out_end;
      stream_taken_ += taken_of_window(added.frame);
      if (stream_taken_ > stream_window_bytes) return false;
      break;
    case frame_type::answer:
    case frame_type::failed:
    case frame_type::exited:
    case frame_type::declined:
      break;
    default:
      return true;  // of a later version, for those who asked for it
  }
  others_.splice(others_.end(), one);
  return true;
}

void arrived_frames::add_note(list& one) noexcept {
  notes_bytes_ += one.front().frame.payload.size();
  notes_.splice(notes_.end(), one);
  while (notes_.size() > progress_kept_max || (notes_.size() > 1 && notes_bytes_ > progress_kept_bytes_max)) {
    drop_note(one);
  }
}

void arrived_frames::drop_note(list& into) noexcept {
  notes_bytes_ -= notes_.front().frame.payload.size();
  ++dropped_;
  into.splice(into.end(), notes_, notes_.begin());
}

arrived_frames::list arrived_frames::take() noexcept {
  list taken;
  const bool is_note = others_.empty() || (!notes_.empty() && notes_.front().order < others_.front().order);
  auto& from = is_note ? notes_ : others_;
  taken.splice(taken.end(), from, from.begin());
  auto& one = taken.front();
  if (is_note) {
    notes_bytes_ -= one.frame.payload.size();
    one.dropped = std::exchange(dropped_, 0);
  }
  if (static_cast<frame_type>(one.frame.type) == frame_type::ask) --asks_;
  stream_taken_ -= taken_of_window(one.frame);
  return taken;
}

}  // namespace weft::inline v1::workers::detail
