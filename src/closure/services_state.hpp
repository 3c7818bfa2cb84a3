#pragma once

#include <atomic>
#include <list>
#include <map>
#include <mutex>

#include <weft/closure/services.hpp>
#include <weft/context/wait.hpp>

// One slot for each service that a container keeps. Its states: empty -> making -> made, and making ->
// empty where the factory failed. The task that moves it to making runs the factory and moves it on;
// all others that want it stand in its line, and each looks at the state again when it is served.
// A made slot never changes, so `object` read with acquire is enough to use it.
//
// All containers of a tree share one making_board. Its spin lock guards the states and lines of all
// slots and the list of factories that run, which is what circles are found in: a task that wants a
// slot follows "who makes it, and what does that one wait for". Nobody waits before he has looked, so
// whoever would close a circle, in one task or across several, finds it.

namespace weft::inline v1 {
namespace detail {

struct making;

struct service_slot {
  enum class step : unsigned char { empty, in_making, made };

  const std::string* name = nullptr;  // of the service, for people; constant
  std::atomic<void*> object{nullptr};
  step at = step::empty;    // guarded by the board's lock
  making* maker = nullptr;  // guarded by the board's lock; set while in_making
  waiter_line line;         // guarded by the board's lock
};

/// A factory that runs; on the stack of the task that runs it.
struct making {
  service_slot* slot = nullptr;
  std::uint64_t task = 0;
  making* outer = nullptr;            // the factory that asked for this one, in the same task
  service_slot* waits_for = nullptr;  // guarded by the board's lock
  making* next = nullptr;             // guarded by the board's lock
};

struct making_board {
  spin_lock lock;
  making* first = nullptr;  // all that run, the latest first; guarded by lock
};

}  // namespace detail

struct services::state {
  struct kept_recipe {
    recipe how;
    std::string shown;  // "mailer" or "logger \"payment\""
    void* provided = nullptr;
  };
  using key = std::pair<const void*, std::string>;

  services* self = nullptr;
  state* parent = nullptr;
  service_scope scope = service_scope::singleton;
  std::shared_ptr<detail::making_board> board;

  mutable std::mutex mutex;                                    // held for look-ups only
  std::map<key, kept_recipe> recipes;                          // guarded by mutex; entries stay
  std::map<std::string, std::string, std::less<>> parameters;  // guarded by mutex
  std::map<const kept_recipe*, detail::service_slot> slots;    // guarded by mutex; entries stay
  std::list<std::shared_ptr<void>> made;  // guarded by mutex; in the order they were made

  /// Where a service was added, and how.
  struct found_recipe {
    state* owner = nullptr;
    kept_recipe* how = nullptr;
  };
  found_recipe find(const void* type, std::string_view name);

  /// The container in which that service lives for one who asks here; null if its scope is too narrow.
  state* host_of(const found_recipe& found);

  detail::service_slot& slot_for(const kept_recipe& how);
};

}  // namespace weft::inline v1
