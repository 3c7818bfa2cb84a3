#include "hook/caller.hpp"

#include <unistd.h>
#include <atomic>

#include "hook/exported.hpp"

namespace weft::inline v1::hook {
namespace {

constinit std::atomic<std::uint32_t> hooked_kinds{static_cast<std::uint32_t>(calls::all)};

}  // namespace

constinit thread_local thread_state this_thread;

bool is_off(std::uint64_t task) noexcept {
  for (const off* one = this_thread.offs; one != nullptr; one = one->next_) {
    if (one->task_ == task) return true;
  }
  return false;
}

const engine* ask_engine() noexcept {
  const thread_state& here = this_thread;
  if (here.of == nullptr || here.handlers != 0 || !here.of->may_wait()) return nullptr;
  return here.of;
}

const engine* ask_engine(calls kind) noexcept {
  if ((hooked_kinds.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(kind)) == 0) return nullptr;
  const engine* const of = ask_engine();
  if (of == nullptr || (this_thread.offs != nullptr && is_off(of->task_id()))) return nullptr;
  return of;
}

bool is_other_process() noexcept { return getpid() != this_thread.process; }

WEFT_EXPORTED void set_hooked(calls kinds) noexcept {
  hooked_kinds.store(static_cast<std::uint32_t>(kinds & calls::all), std::memory_order_relaxed);
}

WEFT_EXPORTED calls hooked() noexcept {
  return static_cast<calls>(hooked_kinds.load(std::memory_order_relaxed));
}

WEFT_EXPORTED off::off() noexcept {
  const engine* const of = this_thread.of;
  if (of == nullptr) return;
  task_ = of->task_id();
  next_ = this_thread.offs;
  this_thread.offs = this;
}

WEFT_EXPORTED off::~off() {
  if (task_ == 0) return;
  // Fibers end theirs in any order.
  off** link = &this_thread.offs;
  while (*link != nullptr && *link != this) link = &(*link)->next_;
  if (*link == this) *link = next_;
}

}  // namespace weft::inline v1::hook

extern "C" WEFT_EXPORTED void weft_hook_thread_1(const weft::detail::hook_engine* of) noexcept {
  weft::hook::this_thread = {};
  weft::hook::this_thread.of = of;
  weft::hook::this_thread.process = getpid();
}
