#include <weft/wire/key_ring.hpp>

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/key_file.hpp>
#include <weft/wire/random.hpp>

#include "wire/key_ring_state.hpp"

namespace weft::inline v1::wire {
namespace {

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= key::id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

key::key(std::string id, secret_bytes secret, std::optional<std::chrono::sys_seconds> created)
    : id_(std::move(id)), secret_(std::move(secret)), created_(created) {
  if (!is_id(id_)) {
    throw error(errc::invalid_argument, "key: an id is 1 to 64 characters of [A-Za-z0-9_.-]");
  }
  if (secret_.size() < secret_bytes_min) {
    throw error(errc::invalid_argument, "key \"" + id_ + "\": the secret has " +
                                            std::to_string(secret_.size()) + " bytes, fewer than " +
                                            std::to_string(secret_bytes_min) +
                                            "; make one with key::generate");
  }
}

key key::generate(std::string id) {
  secret_bytes secret(secret_bytes_min);
  fill_random(secret.data());
  return {std::move(id), std::move(secret),
          std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
}

key_ring::key_ring(std::vector<key> keys, std::vector<retired_key> retired)
    : state_(std::make_unique<state>()) {
  if (keys.empty()) {
    throw error(
        errc::invalid_argument,
        "key_ring: no key; nothing can be signed without one. Make one with `weft keys generate FILE`");
  }
  for (auto& one : keys) {
    const auto has_its_id = [&](const retired_key& gone) { return gone.id == one.id(); };
    if (state_->find(one.id()) != nullptr || std::any_of(retired.begin(), retired.end(), has_its_id)) {
      throw error(errc::invalid_argument, "key_ring: two keys have the id \"" + one.id() + "\"");
    }
    state_->keys.push_back(std::move(one));
  }
  state_->retired = std::move(retired);
}

key_ring::key_ring(key only)
    : key_ring([&] {
        std::vector<key> keys;
        keys.push_back(std::move(only));
        return keys;
      }()) {}

key_ring::key_ring(key_file file) : key_ring(std::move(file.keys), std::move(file.retired)) {}

key_ring::key_ring(key_ring&&) noexcept = default;
key_ring& key_ring::operator=(key_ring&&) noexcept = default;
key_ring::~key_ring() = default;

std::vector<std::string> key_ring::ids() const {
  std::vector<std::string> out;
  for (const auto& one : state_->keys) out.push_back(one.id());
  return out;
}

const std::vector<retired_key>& key_ring::retired() const noexcept { return state_->retired; }

secret_bytes key_ring::derive(std::string_view id, std::string_view purpose, std::size_t length) const {
  const key* const one = state_->find(id);
  if (one == nullptr) throw error(errc::not_found, "key_ring: no key has the id \"" + std::string(id) + "\"");
  if (length > 8160) throw error(errc::invalid_argument, "key_ring: a derived key has at most 8160 bytes");
  return hkdf_sha256(one->secret(), as_bytes("derive:" + std::string(purpose)), length);
}

const key* key_ring::state::find(std::string_view id) const noexcept {
  for (const auto& one : keys) {
    if (one.id() == id) return &one;
  }
  return nullptr;
}

const key& key_ring::state::find_named(std::string_view id) const {
  if (const key* const known = find(id)) return *known;
  for (const auto& one : retired) {
    if (one.id == id) throw key_is_retired(one.id);
  }
  // It comes from outside: only what could be one is shown.
  std::string shown;
  for (const char c : id.substr(0, key::id_bytes_max)) shown += c > ' ' && c <= '~' && c != '"' ? c : '?';
  throw unknown_key(shown);
}

secret_bytes key_ring::state::encryption_key(const key& one, std::string_view purpose) {
  return hkdf_sha256(one.secret(), as_bytes("encrypt:" + std::string(purpose)), 32);
}

sha256_digest key_ring::state::sign(const key& one, std::string_view purpose,
                                    std::span<const std::byte> data) {
#ifdef WEFT_BUG_3
  purpose = "any";
#endif
  const std::string name = one.id() + '/' + std::string(purpose);
  const std::lock_guard lock(mutex_);
  auto found = derived_.find(name);
  if (found == derived_.end()) {
    if (derived_.size() >= kept_max) derived_.clear();
    auto fresh = hkdf_sha256(one.secret(), as_bytes("envelope:" + std::string(purpose)), 32);
    found = derived_.emplace(name, std::move(fresh)).first;
  }
  return hmac_sha256(found->second.data(), data);
}

}  // namespace weft::inline v1::wire
