#include "workers/native_started_call.hpp"

namespace weft::inline v1::workers::detail {

native_started_call::native_started_call(std::shared_ptr<checkout_core> core,
                                         const std::shared_ptr<worker_link>& link, call_bound until)
    : core_(std::move(core)), call_(core_->from(), link, until, &core_->options().on_progress) {}

void native_started_call::send(outgoing_call what) {
  core_->from().count_call();
  what.log = &logged_.emplace(core_->options().log, what.target);
  watched([&] { call_.send(what); });
}

call_answer native_started_call::take_answer() {
  wire::frame got;
  auto reply = watched([&] { return call_.finish(got); });
  logged_->end(std::move(reply.log));
  const auto value = as_bytes(core_->take_value(call_.link(), reply));
  return {std::move(got.payload), value, std::nullopt};
}

bool native_started_call::write_piece(std::span<const std::byte> piece) {
  return watched([&] { return call_.write(piece); });
}

void native_started_call::end_pieces() {
  watched([&] { call_.end_writing(); });
}

std::optional<bytes> native_started_call::read_piece() {
  return watched([&] { return call_.read(); });
}

}  // namespace weft::inline v1::workers::detail
