#include "service/level_switch.hpp"

#include <algorithm>

#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

namespace weft::inline v1::ops::detail {

namespace {

void change(log::level to) noexcept {
  const log::level from = log::current_level();
  // So that one of both is let through, told at the more talkative of the two.
  if (to > from)
    log::warn("service: the level of the log changes", {{"from", to_string(from)}, {"to", to_string(to)}});
  log::set_level(to);
  if (to < from)
    log::warn("service: the level of the log changed", {{"from", to_string(from)}, {"to", to_string(to)}});
}

}  // namespace

level_switch::~level_switch() {
  if (former_) log::set_level(*former_);
}

void level_switch::set(log::level to) {
  back_ = {};
  former_.reset();
  change(to);
}

void level_switch::set_for(log::level to, std::chrono::milliseconds time) {
  if (!former_) former_ = log::current_level();
  until_ = deadline_after(time);
  // In the root's context: the request that asked is long over by then.
  back_ = after(time, [this] { go_back(); }, {.name = "log level", .keeps_run = false, .context = context()});
  change(to);
}

void level_switch::go_back() noexcept {
  if (!former_) return;
  change(*former_);
  former_.reset();
}

level_state level_switch::look() const {
  level_state now{.level = std::string(to_string(log::current_level()))};
  if (former_) {
    using std::chrono::seconds;
    now.then = std::string(to_string(*former_));
    now.seconds_left = std::max(std::chrono::ceil<seconds>(until_ - steady_clock::now()), seconds(0)).count();
  }
  return now;
}

}  // namespace weft::inline v1::ops::detail
