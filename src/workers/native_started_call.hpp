#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <weft/workers/running_call.hpp>

#include "workers/call_log.hpp"
#include "workers/checkout_core.hpp"
#include "workers/native_call.hpp"

namespace weft::inline v1::workers::detail {

/// A native call that goes on while its caller does other things. Keeps the checkout's worker.
class native_started_call final : public started_call {
 public:
  native_started_call(std::shared_ptr<checkout_core> core, const std::shared_ptr<worker_link>& link,
                      call_bound until);

  /// As native_call.
  void send(outgoing_call what);
  call_answer take_answer() override;

 private:
  // An error that costs the worker breaks the checkout.
  template <typename Work>
  auto watched(Work&& work) {
    return core_->with(call_.link(), std::forward<Work>(work));
  }

  bool write_piece(std::span<const std::byte> piece) override;
  void end_pieces() override;
  std::optional<bytes> read_piece() override;

  const std::shared_ptr<checkout_core> core_;  // outlives the call
  std::optional<call_log> logged_;
  native_call call_;
};

}  // namespace weft::inline v1::workers::detail
