#include <weft/wire/key_ring.hpp>

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/wire/random.hpp>

#include "wire/key_ring_state.hpp"

namespace weft::wire {
namespace {

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= key::id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

key::key(std::string id, secret_bytes secret) : id_(std::move(id)), secret_(std::move(secret)) {
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
  return {std::move(id), std::move(secret)};
}

key_ring::key_ring(std::vector<key> keys) : state_(std::make_unique<state>()) {
  if (keys.empty())
    throw error(errc::invalid_argument, "key_ring: no key; nothing can be signed without one");
  for (auto& one : keys) {
    if (state_->find(one.id()) != nullptr) {
      throw error(errc::invalid_argument, "key_ring: two keys have the id \"" + one.id() + "\"");
    }
    state_->keys.push_back(std::move(one));
  }
}

key_ring::key_ring(key only)
    : key_ring([&] {
        std::vector<key> keys;
        keys.push_back(std::move(only));
        return keys;
      }()) {}

key_ring::key_ring(key_ring&&) noexcept = default;
key_ring& key_ring::operator=(key_ring&&) noexcept = default;
key_ring::~key_ring() = default;

std::vector<std::string> key_ring::ids() const {
  std::vector<std::string> out;
  for (const auto& one : state_->keys) out.push_back(one.id());
  return out;
}

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

sha256_digest key_ring::state::sign(const key& one, std::string_view purpose,
                                    std::span<const std::byte> data) {
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

}  // namespace weft::wire
