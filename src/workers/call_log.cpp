#include "workers/call_log.hpp"

#include <utility>

namespace weft::inline v1::workers::detail {

namespace {

// As Perl names its timers.
std::string_view timer_name(std::string_view of) {
  return of.empty() || of.front() == '@' ? std::string_view("->()") : of;
}

}  // namespace

call_log::call_log(const std::optional<log::logger>& into, std::string_view name) : into_(into) {
  if (into_) {
    timer_.emplace(*into_, timer_name(name));
  } else {
    timer_.emplace(timer_name(name));
  }
}

void call_log::end(log::collection from_worker) noexcept {
  // What the timer says is the call's time in the caller's log: by clocks that were read another time, the
  // worker's log could begin before it or end after it.
  const auto call = timer_->end().value_or(log::timer::span{sent_, log::now()});
  log::fit_into_call(from_worker, call.start, call.end);
  if (into_) {
    into_->merge(std::move(from_worker));
  } else {
    log::emit(std::move(from_worker));
  }
}

}  // namespace weft::inline v1::workers::detail
