#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/wait_group.hpp>

#include "http/h2/answer_writer.hpp"
#include "http/h2/gathered_bodies.hpp"
#include "http/h2/make_connection.hpp"
#include "http/h2/rate_bound.hpp"
#include "http/h2/session.hpp"
#include "http/h2/stream.hpp"
#include "http/server_lane.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail::h2 {

/// One connection of a server that speaks HTTP/2.
///
/// Its own fiber reads, and hands what comes to the session, which calls the events below: they change
/// streams and note who has something to do; nothing waits in them. Then a fiber is started for each request
/// that is whole, or whose handler streams its body. Whoever has something to send pumps: frames go from the
/// session into outbox_, while there is room. A second fiber, the sender, writes the outbox to the socket.
/// All of them are of one loop, so nothing here is locked. What handlers call may come from another loop, to
/// which they handed their request or response on: it is done here then (at_home).
///
/// A stream is in streams_ until both nghttp2 has closed it and its fiber has ended.
class connection final : public http2_link, session_events, answer_carrier {
 public:
  connection(server_lane& lane, transport peer);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() override;

  /// Serves until one side has had enough; `received` has come already. Throws weft::error where the
  /// connection breaks.
  void run(std::string_view received) override;

  void stop_begins() noexcept override;
  void end_soon() noexcept override;

 private:
  class running;

  // Events of the session.
  void control_frame() override;
  void head_begins(stream_id id) override;
  void field(stream_id id, std::string_view name, std::string_view value) override;
  void head_ends(stream_id id, bool request_ends) override;
  void trailer(stream_id id, std::string_view name, std::string_view value) override;
  void data(stream_id id, std::string_view piece) override;
  void request_ends(stream_id id) override;
  void request_reset() override;
  void request_refused() override;
  void stream_broken() override;
  void stream_closed(stream_id id) override;
  void went_away(error_code why) override;
  taken take_body(stream_id id, std::span<char> into) override;
  void answer_sent(stream_id id) override;

  // For answers.
  session& protocol() noexcept override { return session_; }
  void pump() override;
  void send_soon() noexcept override { to_send_.set(); }
  void consumed(stream_id id, std::size_t bytes) noexcept override;
  steady_time moved() const noexcept override { return taken_.last(); }
  transport& peer() noexcept override { return peer_; }
  const executor& home() const noexcept override { return home_; }

  /// Counts a field, also of what nobody wants.
  void count_field(std::string_view name, std::string_view value) noexcept;

  // Its own fiber.
  bool read_all(std::string_view received);
  bool is_over() const noexcept;
  void feed(std::string_view bytes);
  void start_ready();
  std::optional<std::size_t> read(std::span<char> into, steady_time until);
  steady_time next_look() const noexcept;
  bool look_at_clock();
  void give_head_up();
  void let_go() noexcept;
  void forget(stream_id id) noexcept;
  void linger();

  // The sender.
  void send_all();

  // Bodies that are gathered.
  /// Something came of them, or is held no more: who may go on is told, who is too many is refused.
  void settle_bodies() noexcept;
  /// Gives a request back whose handler has not begun: the client may send it again.
  void refuse_body(stream_id id) noexcept;

  stream* find(stream_id id) noexcept;
  /// A client does what no honest one does: the connection ends. Also for within the events.
  void condemn(const char* why, error_code code = error_code::enhance_your_calm) noexcept;
  void wake_reader() noexcept;
  /// Nothing can be sent any more.
  void lose() noexcept;

  server_lane& lane_;
  const executor home_ = current_executor();
  transport peer_;
  session session_;
  std::unordered_map<stream_id, std::unique_ptr<stream>> streams_;
  gathered_bodies gathered_;
  std::vector<stream_id> ready_;  // have something to do
  rate_bound resets_;
  rate_bound control_frames_;
  steady_time idle_until_;                // without a stream
  steady_time answered_{};                // when the last stream ended
  steady_time head_until_ = no_deadline;  // of a HEADERS frame
  stream_id head_id_ = 0;
  std::size_t head_bytes_ = 0;  // that came of the header, or of trailers
  std::optional<error_code> condemned_;

  std::string outbox_;
  progress_mark taken_;  // of the bodies of all answers
  event to_send_;
  wait_group fibers_;
  cancel_scope* reading_ = nullptr;
  bool is_woken_ = false;
  bool is_announced_ = false;  // that no more requests are wanted
  bool is_draining_ = false;
  bool lingers_ = true;     // at its end, so that nothing that was sent is lost
  bool is_lost_ = false;    // nothing can be sent
  bool is_ending_ = false;  // the sender ends when all is sent
};

}  // namespace weft::inline v1::http::detail::h2
