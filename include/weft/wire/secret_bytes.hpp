#pragma once

#include <cstddef>
#include <span>

namespace weft::inline v1::wire {

/// Bytes that must not leak: kept in pages of their own that core dumps leave out, zeroed when
/// destroyed or moved from. There is no way to print or copy them by accident.
class secret_bytes {
 public:
  secret_bytes() noexcept = default;
  /// `size` zero bytes. Throws weft::error (resource_exhausted).
  explicit secret_bytes(std::size_t size);
  /// A copy of `data`, which stays the caller's to clear.
  explicit secret_bytes(std::span<const std::byte> data);
  secret_bytes(secret_bytes&& other) noexcept;
  secret_bytes& operator=(secret_bytes&& other) noexcept;
  ~secret_bytes();

  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> data() noexcept { return {data_, size_}; }
  std::span<const std::byte> data() const noexcept { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weft::inline v1::wire
