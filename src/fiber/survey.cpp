#include "fiber/survey.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include <weft/core/symbolizer.hpp>

#include "fiber/inspection.hpp"
#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::size_t makers_max = 8;
constexpr auto answer_max = std::chrono::seconds(1);
constexpr auto a_moment = std::chrono::microseconds(200);

}  // namespace

std::string survey::state_of(const scheduler& of, const fiber_block& one) {
  const fiber_info info = of.describe(one);
  const std::string state(to_string(info.state));
  return info.waits_for == nullptr ? state : state + " in " + info.waits_for;
}

void survey::count() {
  for (const scheduler* const of : run_.loops()) {
    of->for_each_alive([&](const fiber_block& one) {
      // A maker is older. The main of a simulation has the id of a thread outside for its maker's.
      all_.push_back({one.id(), one.parent_id() < one.id() ? one.parent_id() : 0});
      ++states_[state_of(*of, one)];
    });
  }
}

std::string survey::of(runtime& run, dump_options options) {
  scheduler& here = *scheduler::current();
  // Whoever is before us may be waiting for our loop to look.
  std::unique_lock lock(run.survey_lock, std::defer_lock);
  while (!lock.try_lock()) {
    here.desk().answer(here);
    std::this_thread::sleep_for(a_moment);
  }
  survey one(run, options);
  one.count();
  one.choose();
  one.describe();
  one.ask_loops();
  return one.text();
}

void survey::choose() {
  std::sort(all_.begin(), all_.end(), [](const known& a, const known& b) { return a.id < b.id; });
  shown_ = std::min(all_.size(), options_.fibers_max);
  for (std::size_t i = 0; i < shown_; ++i) {
    const known* one = &all_[i];
    for (std::size_t above = 0; one != nullptr && above <= makers_max; ++above) {
      details_[one->id];
      one = find(one->parent_id);
    }
  }
}

const survey::known* survey::find(std::uint64_t id) const noexcept {
  const auto at = std::lower_bound(all_.begin(), all_.end(), id,
                                   [](const known& one, std::uint64_t wanted) { return one.id < wanted; });
  return at == all_.end() || at->id != id ? nullptr : &*at;
}

void survey::describe() {
  for (const scheduler* const of : run_.loops()) {
    of->for_each_alive([&](const fiber_block& one) {
      const auto wanted = details_.find(one.id());
      if (wanted == details_.end()) return;
      wanted->second.name = one.name();
      wanted->second.state = state_of(*of, one);
      wanted->second.made_at = one.made_at();
    });
  }
}

void survey::ask_loops() {
  scheduler& here = *scheduler::current();
  for (scheduler* const loop : run_.loops()) {
    if (loop == &here) continue;
    loop->desk().ask(*this);
    loop->post([loop] { loop->desk().answer(*loop); });
  }
  look(here);
  const steady_time until = steady_clock::now() + answer_max;
  for (scheduler* const loop : run_.loops()) {
    if (loop != &here) loop->desk().answered(until);
  }
}

// A started fiber stays on its thread, and only its thread lets it run or end: while we are here, those
// that are at home here keep still.
void survey::look(scheduler& here) {
  inspection stacks(here);
  for (const scheduler* const registry : run_.loops()) {
    registry->for_each_alive([&](fiber_block& one) {
      if (!one.started_.load(std::memory_order_relaxed) || !one.home().is_home() || one.stack_ == nullptr)
        return;
      const auto wanted = details_.find(one.id());
      if (wanted != details_.end()) look_at(one, stacks, wanted->second);
    });
  }
}

void survey::look_at(fiber_block& one, inspection& stacks, details& into) const {
  const bool runs = &one == one.home().running();
  into.stack_bytes = one.stack_->bytes;
  into.stack_used = bytes_above(*one.stack_, runs ? __builtin_frame_address(0) : one.stack_->sp);
  into.stack_high_water = touched_bytes(*one.stack_);
  if (options_.frames_max > 0) into.trace = runs ? stack_trace::current() : stacks.trace_of(one);
}

// Text.

std::string survey::title(std::uint64_t id) const {
  std::string text = "fiber " + std::to_string(id);
  const auto at = details_.find(id);
  if (at != details_.end() && !at->second.name.empty()) text += " \"" + at->second.name + '"';
  return text;
}

std::string survey::makers(const known& one) const {
  std::string text = "  made";
  const std::source_location place = details_.at(one.id).made_at;
  if (place.line() != 0) text += std::string(" at ") + place.file_name() + ':' + std::to_string(place.line());
  std::uint64_t above = one.parent_id;
  for (std::size_t i = 0; i < makers_max; ++i) {
    const known* const maker = find(above);
    if (maker == nullptr)
      return text + (i == 0 ? " by task " : ", by task ") + std::to_string(above) +
             " (ended, or not of this run)\n";
    text += (i == 0 ? " by " : ", by ") + title(above);
    above = maker->parent_id;
    if (above == 0) break;
  }
  return text + '\n';
}

std::string survey::stack_line(const details& one) const {
  return "  stack: " + std::to_string(one.stack_used) + " bytes of " + std::to_string(one.stack_bytes) +
         " in use, at most " + std::to_string(one.stack_high_water) + " so far\n";
}

std::string survey::text() const {
  std::string text = std::to_string(all_.size()) + " fibers:";
  for (const auto& [state, count] : states_) {
    text += (text.back() == ':' ? " " : ", ") + std::to_string(count) + ' ' + state;
  }
  text += '\n';
  symbolizer names;
  for (std::size_t i = 0; i < shown_; ++i) {
    const details& one = details_.at(all_[i].id);
    text += title(all_[i].id) + ' ' + one.state + '\n' + makers(all_[i]);
    if (one.stack_bytes > 0) text += stack_line(one);
    text += names.to_text(one.trace, options_.frames_max);
  }
  if (shown_ < all_.size()) text += "and " + std::to_string(all_.size() - shown_) + " younger fibers\n";
  return text;
}

}  // namespace weft::inline v1::detail
