#include "dashboard/sessions.hpp"

#include <algorithm>

#include <weft/wire/random.hpp>

namespace weft::inline v1::dashboard {

namespace {

constexpr double tries_at_once = 10;
constexpr std::size_t peers_max = 1000;

/// Reads all of `given`, whatever it is.
bool is_same(std::string_view given, std::string_view secret) noexcept {
  if (secret.empty()) return false;
  unsigned differs = given.size() == secret.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i) {
    differs |= static_cast<unsigned char>(given[i]) ^
               static_cast<unsigned>(static_cast<unsigned char>(secret[i % secret.size()]));
  }
  return differs == 0;
}

}  // namespace

std::string make_token() {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
  std::string token;
  for (const std::byte one : wire::random_bytes(32)) token += digits[std::to_integer<unsigned>(one) & 31U];
  return token;
}

std::optional<role> sessions::role_of(std::string_view token) const noexcept {
  const bool controls = is_same(token, options_.operator_token);
  const bool views = is_same(token, options_.viewer_token);
  if (controls) return role::operates;
  return views ? std::optional(role::viewer) : std::nullopt;
}

sessions::opened sessions::open(role as, steady_time now) {
  std::string id = make_token();
  identity who{as, "session " + make_token().substr(0, 6), make_token()};
  const std::lock_guard lock(mutex_);
  std::erase_if(open_, [&](const auto& one) { return one.second.ends <= now; });
  while (open_.size() >= std::max<std::size_t>(options_.sessions_max, 1)) {
    open_.erase(std::min_element(open_.begin(), open_.end(),
                                 [](const auto& a, const auto& b) { return a.second.ends < b.second.ends; }));
  }
  open_.emplace(id, session{who, now + options_.session});
  return {std::move(id), std::move(who)};
}

std::optional<identity> sessions::find(std::string_view id, steady_time now) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end() || found->second.ends <= now) return std::nullopt;
  return found->second.who;
}

void sessions::close(std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(id); found != open_.end()) open_.erase(found);
}

double sessions::left_of(const tries& of, steady_time now) {
  const std::chrono::duration<double> since = now - of.seen;
  return std::max(0.0, of.failed - since.count());
}

bool sessions::may_try(const std::string& peer, steady_time now) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(peer);
  return found == failures_.end() || left_of(found->second, now) < tries_at_once;
}

void sessions::count_failure(const std::string& peer, steady_time now) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= peers_max)
    std::erase_if(failures_, [&](const auto& one) { return left_of(one.second, now) <= 0; });
  if (failures_.size() >= peers_max) failures_.erase(failures_.begin());
  auto& of = failures_[peer];
  of = {left_of(of, now) + 1, now};
}

}  // namespace weft::inline v1::dashboard
