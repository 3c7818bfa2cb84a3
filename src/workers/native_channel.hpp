#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/wire/frame.hpp>

#include "workers/arrived_frames.hpp"
#include "workers/frame_writer.hpp"
#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

/// What a channel knows of a call that is open on it. It stays where it is from open() to close().
struct call_slot {
  explicit call_slot(bool keeps_progress) noexcept : arrived(keeps_progress) {}

  std::uint64_t id = 0;               ///< of the call; constant while it is open
  arrived_frames arrived;             ///< frames of the call that nobody has taken yet
  weft::detail::waiter_line waiting;  ///< tasks of the call that wait for one
  bool is_over = false;               ///< its reply has come
  std::uint32_t changes = 0;          ///< frames that have come for it
  std::uint64_t room = 0;             ///< bytes of a stream that the worker has room for
  call_slot* next = nullptr;          ///< of those with ids like it
};
// All but the id is guarded by the channel's lock.

/// The client's end of a native connection: calls side by side. Of the tasks that wait for a reply one reads,
/// and hands to the others what is theirs; so a call alone costs no more than its system calls. Thread-safe.
///
/// It reads while it holds stream_lock_, and waits without it. Meanwhile another one may look for itself what
/// has come: before its time is up, while it waits to write, and now and then where the thread of the one who
/// waits, or the thread that would wake him, is another one, as that may be busy with other work.
///
/// Begins after the welcome. The stream outlives it.
class native_channel {
 public:
  explicit native_channel(frame_stream& stream)
      : stream_(stream), writer_(stream, [this] { return look_aside(); }) {}
  native_channel(const native_channel&) = delete;
  native_channel& operator=(const native_channel&) = delete;

  void open(call_slot& one) noexcept;
  /// Frames that come for it later are passed over.
  void close(call_slot& one) noexcept;

  /// Sends frames. As frame_writer::send. While it waits it takes in what has come: a worker whose answers
  /// nobody takes reads no more.
  stream_end send(bytes frames, steady_time until);
  /// The call has been sent: one more reply will come.
  void count_sent() noexcept;
  /// The next frame of the call. A cancellation point. Throws weft::error where what came cannot be read;
  /// the channel has ended then.
  stream_end receive(call_slot& of, arrived_frame& into, steady_time until);
  /// Waits until the worker has room for a part of a stream. False once the call's reply is there.
  /// Gives how many bytes; a cancellation point. Ends as receive().
  stream_end take_room(call_slot& of, std::size_t wanted, std::size_t& room, steady_time until);

  /// Is there a call whose tasks may wait at the stream?
  bool has_open() const noexcept;
  /// Calls whose replies have not come yet.
  std::size_t unanswered() const noexcept;
  /// The worker wants to end: it still serves what comes, but is not to get another checkout.
  bool said_goodbye() const noexcept;

 private:
  class reading;
  static constexpr std::size_t buckets = 64;

  call_slot*& bucket_of(std::uint64_t id) noexcept { return slots_[id % buckets]; }
  call_slot* find(std::uint64_t id) noexcept;
  /// What a task of a call does that has to wait: it reads, or waits for who does. Called and left with the
  /// lock; ok where something may have changed.
  stream_end wait(call_slot& of, std::unique_lock<weft::detail::spin_lock>& lock, steady_time until);
  /// By the task whose turn it is.
  stream_end read_frames(call_slot& of, std::uint32_t seen, steady_time until);
  /// Takes what is there while another one waits for more, or no longer than that. True if there was
  /// anything.
  bool look_aside();
  stream_end wait_for_reader(call_slot& of, std::unique_lock<weft::detail::spin_lock>& lock,
                             steady_time until);
  /// What goes wrong in `work` ends the channel for all.
  template <typename Work>
  auto ending_on_error(Work work);
  bool hand_out_frames();
  void hand_out(wire::frame frame);
  void pass_on_unread() noexcept;
  void pass_reading_on() noexcept;
  void end(std::exception_ptr why) noexcept;
  void break_off() noexcept;

  frame_stream& stream_;
  std::mutex stream_lock_;  // for who reads; before lock_. Nobody waits for anything while he holds it
  frame_writer writer_;
  mutable weft::detail::spin_lock lock_;
  std::array<call_slot*, buckets> slots_{};  // guarded by lock_, as all that follows
  std::uint64_t last_id_ = 0;
  std::size_t open_ = 0;
  std::size_t unanswered_ = 0;
  bool is_read_ = false;    // a task of a call is reading
  std::thread::id reader_;  // its thread
  bool ended_ = false;
  bool said_goodbye_ = false;
  std::exception_ptr why_;  // where it ended by what cannot be read
};

}  // namespace weft::inline v1::workers::detail
