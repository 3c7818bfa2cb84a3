#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/closure/runner.hpp>
#include <weft/workers/call_stream.hpp>

#include "workers/call_bound.hpp"
#include "workers/call_log.hpp"
#include "workers/link.hpp"
#include "workers/pool.hpp"
#include "workers/stream_pieces.hpp"

namespace weft::inline v1::workers::detail {

/// A call as it goes out.
struct outgoing_call {
  call_kind kind{};
  std::string_view target;
  std::string_view arguments;
  std::string_view context;  ///< context::to_wire
  run_link* link = nullptr;  ///< answers what the run objects ask; null: nobody does
  call_log* log = nullptr;   ///< gets the log where the call stops as it is cancelled; null: the one in force
};

/// The client's end of one call to a worker that speaks natively.
///
/// One task reads, and waits for the reply; another one may write at the same time. Where a function throws
/// because of the worker, the link is `over`. Waits are cancellation points: a cancelled call is given up,
/// and its worker ended if it does not stop at once. Destroyed without a reply, the call is given up, too.
class native_call {
 public:
  native_call(pool& pool, std::shared_ptr<worker_link> link, call_bound bound,
              const std::function<void(const progress&)>* on_progress);
  native_call(const native_call&) = delete;
  native_call& operator=(const native_call&) = delete;
  ~native_call();

  /// Throws weft::error (too_large) for arguments that the worker would not take; nothing was sent then.
  void send(const outgoing_call& call);
  /// Waits for the reply, whose views point into `got`; what the called function wrote and nobody read is
  /// passed over. Once.
  reply_frame finish(wire::frame& got);

  /// A whole piece of what the called function reads. False where the call has ended.
  bool write(std::span<const std::byte> piece);
  void end_writing();
  /// The next piece of what the called function writes; nothing after the last one.
  std::optional<bytes> read();

  const std::shared_ptr<worker_link>& link() const noexcept { return link_; }

 private:
  /// Does `work`, a wait for the worker; cancelled, the call is given up.
  template <typename Work>
  auto giving_up_if_cancelled(Work&& work);
  bool write_parts(std::span<const std::byte> piece);
  void send_frames(bytes frames);
  void take_frame();
  void take_part(wire::frame part);
  void tell_progress(const progress_frame& said, std::uint64_t dropped);
  void answer(const ask_frame& question);
  void grant_room();
  bool stops_when_asked() noexcept;
  void keep_log_of_stopped();
  void abandon() noexcept;
  std::optional<std::chrono::nanoseconds> remaining() const;
  [[noreturn]] void throw_timed_out();

  pool& pool_;
  std::shared_ptr<worker_link> link_;
  call_bound bound_;
  const std::function<void(const progress&)>* on_progress_;  // null: nobody wants to know
  run_link* asked_ = nullptr;
  call_log* log_ = nullptr;
  std::string name_;
  call_slot slot_;
  bool sent_ = false;
  bool replied_ = false;
  wire::frame reply_;
  stream_pieces pieces_;
};

/// The answer, a view into the reply's frame, or throws what the reply says instead.
std::string_view value_of(const reply_frame& reply);

/// "the name" of a function, as errors show it.
std::string in_quotes(std::string_view text);
[[noreturn]] void throw_too_large(const std::string& name, std::size_t bytes, std::size_t bytes_max);
/// Ends the worker of a link as a call took too long, and throws call_timed_out.
[[noreturn]] void throw_timed_out(pool& pool, worker_link& link, const std::string& name,
                                  const call_bound& bound);

}  // namespace weft::inline v1::workers::detail
