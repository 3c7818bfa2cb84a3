#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <weft/closure/runner.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/workers/call_stream.hpp>

#include "workers/frame_writer.hpp"
#include "workers/protocol.hpp"
#include "workers/stream_pieces.hpp"

namespace weft::inline v1::workers::detail {

/// How long a message may be that either end gets.
struct message_bounds {
  std::uint64_t here_bytes_max = 0;   ///< by the worker
  std::uint64_t there_bytes_max = 0;  ///< by the client
};

/// The worker's end of one native call, while it runs: its fiber, its streams, and the questions that its run
/// objects ask the client. The reading fiber of the connection hands it its frames; all else is for the
/// fibers of the call.
class served_call final : public caller, public run_link {
 public:
  /// `frame` is the call's. Throws weft::error (malformed).
  served_call(wire::frame frame, frame_writer& writer, message_bounds bounds);

  const call_frame& call() const noexcept { return call_; }
  /// Until when the client waits.
  steady_time until() const noexcept { return until_; }
  weft::fiber<void>& fiber() noexcept { return fiber_; }

  /// A frame of the call came: told, data, data_end, credit. Throws weft::error (malformed, too_large).
  void take(wire::frame frame);

  // caller
  void say_progress(double done, std::string_view text) override;
  // run_link
  std::string about(std::string_view object) override { return exchange({call_.id, true, object, {}}); }
  std::string ask(std::string_view object, std::string_view message) override {
    return exchange({call_.id, false, object, message});
  }

 private:
  bool write_piece(std::span<const std::byte> piece) override;
  void end_pieces() override;
  std::optional<bytes> read_piece() override;
  void send(bytes frames);
  void grant_room();
  void take_answer(wire::frame frame);
  std::string exchange(const ask_frame& question);

  wire::frame frame_;
  call_frame call_;  // views into frame_
  steady_time until_;
  frame_writer& writer_;
  message_bounds bounds_;
  weft::fiber<void> fiber_;

  stream_pieces pieces_;
  weft::event pieces_changed_;
  std::uint64_t room_ = stream_window_bytes;  // that the client has for what the function writes
  weft::event room_changed_;
  bool written_all_ = false;

  weft::mutex turn_;  // one question at a time
  weft::event told_;
  wire::frame answer_;        // set before told_
  std::size_t given_up_ = 0;  // questions whose answers nobody waits for any more; they come in order
};

}  // namespace weft::inline v1::workers::detail
