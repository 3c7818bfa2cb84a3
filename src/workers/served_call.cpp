#include "workers/served_call.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>

#include "workers/reply_bounds.hpp"

namespace weft::inline v1::workers::detail {

served_call::served_call(wire::frame frame, frame_writer& writer, message_bounds bounds)
    : frame_(std::move(frame)),
      call_(read_call(frame_)),
      until_(call_.remaining ? deadline_after(*call_.remaining) : no_deadline),
      writer_(writer),
      bounds_(bounds),
      pieces_(bounds.here_bytes_max) {}

void served_call::take(wire::frame frame) {
  switch (static_cast<frame_type>(frame.type)) {
    case frame_type::told:
      take_answer(std::move(frame));
      break;
    case frame_type::data:
      pieces_.add(std::move(frame.payload), (frame.flags & more_follows) == 0);
      pieces_changed_.set();
      break;
    case frame_type::data_end:
      pieces_.end();
      pieces_changed_.set();
      break;
    case frame_type::credit:
      room_ += read_credit(frame);
      room_changed_.set();
      break;
    default:
      break;  // of a later version
  }
}

// A closed connection shows where frames are read. The reading fiber of the client is not waited for with a
// client's deadline: that is the call's own.
void served_call::send(bytes frames) {
  (void)writer_.wait_for_room(no_deadline);
  shield([&] { (void)writer_.send(std::move(frames), no_deadline, false); });
}

void served_call::say_progress(double done, std::string_view text) {
  bytes out;
  const std::string fitting = fit(text, progress_bytes_max);
  write_frame(out, progress_frame{call_.id, done, fitting});
  send(std::move(out));
}

bool served_call::write_piece(std::span<const std::byte> piece) {
  if (written_all_)
    throw error(errc::misuse, "workers: write to the caller: end_writing() was called before");
  do {
    while (room_ <= stream_part_overhead) {
      room_changed_.reset();
      room_changed_.wait();
    }
    const std::size_t part =
        std::min<std::size_t>({piece.size(), stream_part_bytes, room_ - stream_part_overhead});
    room_ -= part + stream_part_overhead;
    bytes out;
    write_part(out, frame_type::data_out, call_.id, piece.first(part), part == piece.size());
    send(std::move(out));
    piece = piece.subspan(part);
  } while (!piece.empty());
  return true;
}

void served_call::end_pieces() {
  if (std::exchange(written_all_, true)) return;
  bytes out;
  write_plain(out, frame_type::data_out_end, call_.id);
  send(std::move(out));
}

std::optional<bytes> served_call::read_piece() {
  while (!pieces_.has_piece() && !pieces_.is_ended()) {
    grant_room();
    pieces_changed_.reset();
    pieces_changed_.wait();
  }
  auto piece = pieces_.take();
  grant_room();
  return piece;
}

void served_call::grant_room() {
  const auto granted = pieces_.take_grant();
  if (granted == 0) return;
  bytes out;
  write_credit(out, frame_type::credit_out, call_.id, granted);
  send(std::move(out));
}

void served_call::take_answer(wire::frame frame) {
  if (given_up_ > 0) {
    --given_up_;
    return;
  }
  answer_ = std::move(frame);
  told_.set();
}

std::string served_call::exchange(const ask_frame& question) {
  if (question.object.size() + question.message.size() > bounds_.there_bytes_max) {
    throw error(errc::too_large, "workers: ask the client: " + std::to_string(question.message.size()) +
                                     " bytes are more than its message_bytes_max, " +
                                     std::to_string(bounds_.there_bytes_max));
  }
  const std::lock_guard turn(turn_);
  if (given_up_ == asks_open_max) {
    throw error(
        errc::resource_exhausted,
        "workers: ask the client: " + std::to_string(given_up_) +
            " questions of this call were given up and are not answered yet, and there may be no more; "
            "give it time to answer, or give up fewer");
  }
  told_.reset();
  bytes out;
  write_frame(out, question);
  send(std::move(out));
  try {
    told_.wait();
  } catch (const unwinding&) {
    if (!told_.is_set()) ++given_up_;
    throw;
  }
  const auto told = read_told(answer_);
  if (!told.ok) told.failure.raise();
  return std::string(told.answer);
}

}  // namespace weft::inline v1::workers::detail
