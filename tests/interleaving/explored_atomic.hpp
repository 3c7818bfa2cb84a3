#pragma once

#ifndef WEFT_EXPLORE
#error "define WEFT_EXPLORE for everything that is explored"
#endif

#include <utility>

#include <weft/core/atomic.hpp>

#include "interleaving/explorer.hpp"

namespace weft::detail {

/// An atomic each operation of which the explorer may put off. Only one thread of an execution runs at
/// a time, so the value is a plain one.
template <typename Value>
class explored_atomic {
 public:
  constexpr explored_atomic() noexcept = default;
  constexpr explored_atomic(Value value) noexcept : value_(value) {}  // NOLINT: as std::atomic
  explored_atomic(const explored_atomic&) = delete;
  explored_atomic& operator=(const explored_atomic&) = delete;

  Value load(std::memory_order = std::memory_order_seq_cst) const noexcept {
    explore::point("load");
    return value_;
  }
  void store(Value value, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("store");
    write(value);
  }
  Value exchange(Value value, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("exchange");
    const Value former = value_;
    write(value);
    return former;
  }
  bool compare_exchange_strong(Value& expected, Value value, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("compare_exchange");
    return swap_if(expected, value);
  }
  /// Fails now and then for no reason, as it may.
  bool compare_exchange_weak(Value& expected, Value value, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("compare_exchange_weak");
    if (value_ == expected && explore::choose(2) == 1) return false;
    return swap_if(expected, value);
  }
  Value fetch_add(Value by, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("fetch_add");
    const Value former = value_;
    write(static_cast<Value>(former + by));
    return former;
  }
  Value fetch_sub(Value by, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("fetch_sub");
    const Value former = value_;
    write(static_cast<Value>(former - by));
    return former;
  }
  Value fetch_or(Value bits, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("fetch_or");
    const Value former = value_;
    write(static_cast<Value>(former | bits));
    return former;
  }
  Value fetch_and(Value bits, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore::point("fetch_and");
    const Value former = value_;
    write(static_cast<Value>(former & bits));
    return former;
  }
  operator Value() const noexcept { return load(); }  // NOLINT: as std::atomic
  Value operator=(Value value) noexcept {             // NOLINT: as std::atomic
    store(value);
    return value;
  }

  /// Without the explorer: for the conditions of block_until.
  Value peek() const noexcept { return value_; }

 private:
  void write(Value value) noexcept {
    value_ = value;
    explore::wrote();
  }
  bool swap_if(Value& expected, Value value) noexcept {
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    write(value);
    return true;
  }

  Value value_{};
};

}  // namespace weft::detail
