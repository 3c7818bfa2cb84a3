#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/bytes.hpp>
#include <weft/wire/secret_bytes.hpp>

namespace weft::inline v1::wire {

/// A secret for signing, with the name by which envelopes refer to it.
class key {
 public:
  static constexpr std::size_t secret_bytes_min = 32;
  static constexpr std::size_t id_bytes_max = 64;

  /// `id` is 1 to 64 characters of `[A-Za-z0-9_.-]`. Throws weft::error (invalid_argument) for
  /// another id and for a secret under 32 bytes.
  key(std::string id, secret_bytes secret, std::optional<std::chrono::sys_seconds> created = {});

  /// A key of 32 random bytes, made now.
  static key generate(std::string id);

  const std::string& id() const noexcept { return id_; }
  std::span<const std::byte> secret() const noexcept { return secret_.data(); }
  /// When it was made; nothing where the key file does not say.
  std::optional<std::chrono::sys_seconds> created() const noexcept { return created_; }

 private:
  std::string id_;
  secret_bytes secret_;
  std::optional<std::chrono::sys_seconds> created_;
};

/// A key that must not be trusted any more: its secret is gone, its id is remembered.
struct retired_key {
  std::string id;
  std::chrono::sys_seconds retired{};
};

class key_file;

/// Keys of one application: the first one signs, all of them verify. Rotation: put the new key
/// first, and retire the old one when nothing signed with it is left; see docs/formats/envelope.md and
/// `weft keys`.
///
/// Thread-safe after construction; never waits. Movable; the moved-from ring is only to be destroyed.
class key_ring {
 public:
  /// Throws weft::error (invalid_argument) for no key and for two of one id.
  explicit key_ring(std::vector<key> keys, std::vector<retired_key> retired = {});
  explicit key_ring(key only);
  explicit key_ring(key_file file);
  key_ring(key_ring&&) noexcept;
  key_ring& operator=(key_ring&&) noexcept;
  ~key_ring();

  /// Reads a key file (key_file.hpp). Throws weft::error: not_found, refused (not a regular file, not
  /// owned by this user or root, or readable by others), malformed, invalid_argument (too short).
  static key_ring load(const std::string& path);

  /// The keys that an environment variable has: `file:` and a path, or the text of a key file, its lines
  /// also parted by `;`. Throws weft::error: not_found where the variable is not set, with what to do;
  /// else as load(). Not while another thread changes the environment.
  static key_ring from_environment(const char* name = "WEFT_KEYS");

  /// Writes such a file for its owner only, as key_file::create. Throws weft::error: already_exists if there
  /// is one.
  void save(const std::string& path) const;

  /// Ids, the signer's first.
  std::vector<std::string> ids() const;

  /// The ids of keys that were retired.
  const std::vector<retired_key>& retired() const noexcept;

  /// `length` bytes of a key for one purpose (HKDF-SHA-256 of the key with that id), so that
  /// nothing made for one purpose is taken for another. Throws weft::error (not_found) for an
  /// unknown id, invalid_argument for a length over 8160.
  secret_bytes derive(std::string_view id, std::string_view purpose, std::size_t length) const;

 private:
  friend bytes sign(const key_ring& keys, std::string_view purpose, std::span<const std::byte> body);
  friend bytes verify(const key_ring& keys, std::string_view purpose, std::span<const std::byte> envelope,
                      std::size_t bytes_max);
  friend bytes encrypt(const key_ring& keys, std::string_view purpose, std::span<const std::byte> clear,
                       std::span<const std::byte> bound_to);
  friend secret_bytes decrypt(const key_ring& keys, std::string_view purpose,
                              std::span<const std::byte> sealed, std::span<const std::byte> bound_to);
  struct state;

  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1::wire
