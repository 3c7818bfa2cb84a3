#include "fiber/survey.hpp"

#include <algorithm>
#include <utility>

#include <weft/core/symbolizer.hpp>

#include "fiber/inspection.hpp"
#include "fiber/scheduler.hpp"

namespace weft::detail {
namespace {

constexpr std::size_t makers_max = 8;

}  // namespace

std::string survey::state_of(const scheduler& of, const fiber_block& one) {
  const fiber_info info = of.describe(one);
  const std::string state(to_string(info.state));
  return info.waits_for == nullptr ? state : state + " in " + info.waits_for;
}

void survey::count(const std::vector<scheduler*>& loops) {
  for (const scheduler* const of : loops) {
    of->for_each_alive([&](const fiber_block& one) {
      all_.push_back({one.id(), one.parent_id()});
      ++states_[state_of(*of, one)];
    });
  }
}

std::string survey::of(const std::vector<scheduler*>& loops, dump_options options) {
  survey one(options);
  one.count(loops);
  one.choose();
  one.look(loops);
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

void survey::look(const std::vector<scheduler*>& loops) {
  inspection stacks(*scheduler::current());
  for (const scheduler* const of : loops) {
    of->for_each_alive([&](fiber_block& one) {
      const auto wanted = details_.find(one.id());
      if (wanted != details_.end()) wanted->second = describe(*of, one, stacks);
    });
  }
}

survey::details survey::describe(const scheduler& of, fiber_block& one, inspection& stacks) const {
  details found{.name = std::string(one.name()), .state = state_of(of, one), .made_at = one.made_at()};
  if (!one.home().is_home() || one.stack_ == nullptr) return found;
  const bool runs = &one == one.home().running();
  found.stack_bytes = one.stack_->bytes;
  found.stack_used = bytes_above(*one.stack_, runs ? __builtin_frame_address(0) : one.stack_->sp);
  found.stack_high_water = touched_bytes(*one.stack_);
  if (options_.frames_max > 0) found.trace = runs ? stack_trace::current() : stacks.trace_of(one);
  return found;
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
             " (not a fiber of this run, or ended)\n";
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

}  // namespace weft::detail
