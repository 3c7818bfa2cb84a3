#include <weft/workers/stand_in.hpp>

#include <utility>

#include "workers/call_log.hpp"
#include "workers/checkout_core.hpp"

// How a checkout calls what stands in for workers.

namespace weft::inline v1::workers::detail {

namespace {

/// A call of the stand-in that keeps its checkout's worker, and costs it where it says so.
class watched_call final : public started_call {
 public:
  watched_call(std::shared_ptr<checkout_core> core, std::shared_ptr<worker_link> link,
               std::unique_ptr<started_call> inner)
      : core_(std::move(core)), link_(std::move(link)), inner_(std::move(inner)) {}

  call_answer take_answer() override {
    return core_->with_stand_in(link_, [&] { return inner_->take_answer(); });
  }

 private:
  bool write_piece(std::span<const std::byte> piece) override { return stream().write(piece); }
  void end_pieces() override { stream().end_writing(); }
  std::optional<bytes> read_piece() override { return stream().read(); }
  call_stream& stream() noexcept { return *inner_; }

  const std::shared_ptr<checkout_core> core_;
  const std::shared_ptr<worker_link> link_;
  const std::unique_ptr<started_call> inner_;
};

}  // namespace

call_answer checkout_core::call_stand_in(const std::shared_ptr<worker_link>& link,
                                         const call_request& request, call_bound until) {
  pool_->count_call();
  const call_log logged(options_.log, request.target);
  return with_stand_in(link,
                       [&] { return link->stands_in->call(request, until.until, options_.on_progress); });
}

std::unique_ptr<started_call> checkout_core::start_with_stand_in(const std::shared_ptr<worker_link>& link,
                                                                 const call_request& request,
                                                                 call_bound until) {
  pool_->count_call();
  auto begun =
      with_stand_in(link, [&] { return link->stands_in->begin(request, until.until, options_.on_progress); });
  return std::make_unique<watched_call>(shared_from_this(), link, std::move(begun));
}

closure_outcome checkout_core::run_in_stand_in(const closure_request& request, call_bound until) {
  const auto link = ready(until, true);
  pool_->count_call();
  auto outcome = with_stand_in(*link, [&] { return link->stands_in->run(request); });
  if (outcome.error) link->failed = true;
  return outcome;
}

void checkout_core::note_stand_in_failed(worker_link& link) noexcept {
  try {
    throw;
  } catch (const unwinding&) {  // it stopped when it was asked to
  } catch (const worker_died&) {
    link.over = true;
  } catch (const call_timed_out&) {
    pool_->count_timeout();
    link.over = true;
  } catch (const worker_exited&) {
    link.over = true;
  } catch (...) {
    link.failed = true;
  }
}

}  // namespace weft::inline v1::workers::detail
