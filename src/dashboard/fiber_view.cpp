#include "dashboard/fiber_view.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <utility>

#include <weft/fiber/run.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::dashboard {

shown_fibers view_of_fibers(std::size_t shown_max) {
  shown_fibers made;
  std::map<std::string, std::uint64_t> groups;
  for (const fiber_info& one : list_fibers()) {  // by id: the oldest first
    const std::string state(to_string(one.state));
    ++made.total;
    ++groups[one.waits_for == nullptr ? state : one.waits_for];
    if (made.fibers.size() == shown_max) continue;
    shown_fiber& shown = made.fibers.emplace_back();
    shown.id = one.id;
    shown.parent = one.parent_id;
    shown.name = log::to_utf8(one.name);
    shown.state = state;
    if (one.waits_for != nullptr) shown.waits_in = one.waits_for;
    shown.loop = one.loop;
    shown.age_seconds = std::chrono::duration<double>(one.elapsed).count();
  }
  for (const auto& [what, fibers] : groups) made.groups.push_back({what, fibers});
  std::ranges::stable_sort(made.groups, std::greater<>(), &fiber_group::fibers);
  return made;
}

}  // namespace weft::inline v1::dashboard
