#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <weft/codec/bytes.hpp>
#include <weft/workers/call_request.hpp>
#include <weft/workers/call_stream.hpp>

namespace weft::inline v1::workers {

namespace detail {

/// A call that was started, whatever its result.
class started_call : public call_stream {
 public:
  virtual ~started_call() = default;
  virtual call_answer take_answer() = 0;
};

}  // namespace detail

/// A call that checkout::start began: its streams and its answer. Its pieces go to the function's
/// workers::caller& and come from it.
///
/// One task reads and takes the answer; another one may write meanwhile. Every wait is bounded by the call's
/// timeout and deadline and is a cancellation point, which gives the call up; so does the destructor of one
/// whose answer was not taken, without waiting. Keeps the checkout's worker.
template <typename Result>
class [[nodiscard]] running_call {
 public:
  explicit running_call(std::unique_ptr<detail::started_call> held) noexcept : held_(std::move(held)) {}

  /// Waits for the end of the call; pieces that were not read are passed over. Throws as checkout::call.
  /// Once.
  Result get() { return detail::decode_answer<Result>(held_->take_answer()); }

  /// To write what the function reads, and to read what it writes.
  call_stream& stream() noexcept { return *held_; }

 private:
  std::unique_ptr<detail::started_call> held_;
};

}  // namespace weft::inline v1::workers
