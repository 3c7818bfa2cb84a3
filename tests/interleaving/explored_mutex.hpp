#pragma once

#include "interleaving/explorer.hpp"

namespace weft::detail {

/// A mutex whose waits the explorer knows of, and which has no order of arrival: any who wait may get it.
class explored_mutex {
 public:
  explored_mutex() = default;
  explored_mutex(const explored_mutex&) = delete;
  explored_mutex& operator=(const explored_mutex&) = delete;
  ~explored_mutex() { gone_ = true; }

  void lock() {
    explore::point("lock a mutex");
    explore::check(!gone_, "a mutex is used after its end");
    if (held_) explore::block_until([this] { return !held_; }, "wait for a mutex");
    held_ = true;
  }
  bool try_lock() {
    explore::point("try to lock a mutex");
    if (held_) return false;
    held_ = true;
    return true;
  }
  void unlock() {
    explore::point("unlock a mutex");
    explore::check(held_, "a mutex is unlocked that nobody holds");
    held_ = false;
    explore::wrote();
  }

 private:
  bool held_ = false;
  volatile bool gone_ = false;  // volatile: it is written last, and yet looked at
};

}  // namespace weft::detail
