#include "http/h2/gathered_bodies.hpp"

#include <algorithm>
#include <limits>

namespace weft::inline v1::http::detail::h2 {

namespace {

/// Larger bounds are as good as none; sums of these do not overflow.
constexpr std::size_t bound_max = std::numeric_limits<std::size_t>::max() / 16;

}  // namespace

gathered_bodies::gathered_bodies(std::size_t bytes_max, std::size_t window) noexcept
    : bytes_max_(std::min(bytes_max, bound_max)), window_(window) {}

void gathered_bodies::begin(stream_id id, std::uint64_t bytes_max) {
  const body made{.bytes_max = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, bound_max))};
  if (bodies_.emplace(id, made).second) promised_ += promised(made);
}

std::size_t gathered_bodies::came(stream_id id, std::size_t bytes) noexcept {
  const auto found = bodies_.find(id);
  if (found == bodies_.end()) return bytes;
  body& one = found->second;
  one.held += bytes;
  held_ += bytes;
  if (one.is == state::let_on) return bytes;
  // From half on, as late as windows are handed back anyway: small bodies ask for nothing.
  const bool needs_more = one.bytes_max > window_ && one.held >= window_ - window_ / 2;
  if (one.is == state::first_window && needs_more) become(one, state::asking);
  return 0;
}

void gathered_bodies::whole(stream_id id) noexcept {
  if (const auto found = bodies_.find(id); found != bodies_.end()) become(found->second, state::whole);
}

void gathered_bodies::forget(stream_id id) noexcept {
  const auto found = bodies_.find(id);
  if (found == bodies_.end()) return;
  become(found->second, state::whole);
  held_ -= found->second.held;
  promised_ -= found->second.held;
  bodies_.erase(found);
  if (beyond_ == id) beyond_ = 0;
}

std::optional<gathered_bodies::turn> gathered_bodies::let_on() noexcept {
  if (asking_ == 0) return std::nullopt;
  const auto first = std::find_if(bodies_.begin(), bodies_.end(),
                                  [](const auto& each) { return each.second.is == state::asking; });
  auto& [id, one] = *first;
  const std::size_t others = promised_ - promised(one);
  const bool has_room = others <= bytes_max_ && one.bytes_max <= bytes_max_ - others;
  if (!has_room) {
    if (let_on_ > 0 || held_ - one.held > bytes_max_) return std::nullopt;
    beyond_ = id;
  }
  const bool has_waited = waits(id);
  become(one, state::let_on);
  return turn{.id = id, .bytes = one.held, .has_waited = has_waited};
}

std::optional<stream_id> gathered_bodies::one_too_many() noexcept {
  const auto fits_without = [this](const body& one) { return held_ - one.held <= bytes_max_; };
  const auto beyond = bodies_.find(beyond_);
  if (beyond == bodies_.end() ? held_ <= bytes_max_ : fits_without(beyond->second)) return std::nullopt;
  const auto comes = [](const auto& each) { return each.second.is != state::whole; };
  if (beyond == bodies_.end() || !comes(*beyond)) {
    // The oldest is spared, where that one is enough.
    const auto oldest = std::find_if(bodies_.begin(), bodies_.end(), comes);
    if (oldest != bodies_.end() && fits_without(oldest->second)) {
      beyond_ = oldest->first;
      return std::nullopt;
    }
  }
  const auto newest = std::find_if(bodies_.rbegin(), bodies_.rend(),
                                   [&](const auto& each) { return comes(each) && each.first != beyond_; });
  return newest == bodies_.rend() ? std::nullopt : std::optional(newest->first);
}

bool gathered_bodies::waits(stream_id id) const noexcept {
  const auto found = bodies_.find(id);
  return found != bodies_.end() && found->second.is == state::asking && found->second.held >= window_;
}

std::size_t gathered_bodies::promised(const body& one) const noexcept {
  switch (one.is) {
    case state::let_on:
      return one.bytes_max;
    case state::whole:
      return one.held;
    default:
      return std::min(window_, one.bytes_max);
  }
}

void gathered_bodies::become(body& one, state next) noexcept {
  asking_ -= one.is == state::asking ? 1 : 0;
  let_on_ -= one.is == state::let_on ? 1 : 0;
  promised_ -= promised(one);
  one.is = next;
  promised_ += promised(one);
  asking_ += one.is == state::asking ? 1 : 0;
  let_on_ += one.is == state::let_on ? 1 : 0;
}

}  // namespace weft::inline v1::http::detail::h2
