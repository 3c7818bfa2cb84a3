#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace weft::inline v1::http::detail {

/// The bytes that a connection has received and not dealt with yet, in one piece.
class byte_buffer {
 public:
  static constexpr std::size_t first_bytes = 4 * 1024;
  static constexpr std::size_t room_bytes_min = 1024;
  static constexpr std::size_t kept_bytes_max = 64 * 1024;

  std::string_view readable() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  char* data() noexcept { return bytes_.get() + begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }

  /// Room behind the readable bytes. They may move: `moved(from, to)` is called while both exist.
  template <typename Moved>
  std::span<char> room(Moved&& moved) {
    if (empty()) begin_ = end_ = 0;
    if (capacity_ - end_ < room_bytes_min) make_room(moved);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  /// The same where nobody has views into the bytes.
  std::span<char> room() {
    return room([](const char*, const char*) {});
  }
  void commit(std::size_t count) noexcept { end_ += count; }
  /// Copies bytes behind the readable ones, which may move.
  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> into = room();
      const std::size_t count = bytes.copy(into.data(), into.size());
      commit(count);
      bytes.remove_prefix(count);
    }
  }

  /// Takes memory for that many bytes in all. They may move.
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) take_memory(bytes, [](const char*, const char*) {});
  }

  /// Drops bytes at the front.
  void consume(std::size_t count) noexcept { begin_ += count; }
  /// Nothing is being read: gives back memory that only a large message needed.
  void trim() noexcept {
    if (!empty() || capacity_ <= kept_bytes_max) return;
    bytes_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  template <typename Moved>
  void make_room(Moved&& moved) {
    const std::size_t wanted = size() >= capacity_ / 2 ? capacity_ * 2 : capacity_;
    take_memory(std::max(wanted, first_bytes), moved);
  }

  template <typename Moved>
  void take_memory(std::size_t capacity, Moved&& moved) {
    std::unique_ptr<char[]> larger(new char[capacity]);  // not zeroed
    if (size() > 0) std::memcpy(larger.get(), data(), size());
    moved(static_cast<const char*>(data()), static_cast<const char*>(larger.get()));
    bytes_ = std::move(larger);
    capacity_ = capacity;
    end_ = size();
    begin_ = 0;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft::inline v1::http::detail
