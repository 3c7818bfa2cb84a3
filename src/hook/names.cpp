#include "hook/names.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "hook/real_call.hpp"

namespace weft::inline v1::hook {
namespace {

/// A question that may outlive who asks it. Two have it: he, and the thread.
class question {
 public:
  static question* make(const char* node, const char* service, const addrinfo* hints) noexcept {
    void* const room = std::malloc(sizeof(question));
    return room != nullptr ? ::new (room) question(node, service, hints) : nullptr;
  }
  question(const question&) = delete;
  question& operator=(const question&) = delete;

  static void answer(void* self) noexcept {
    auto& one = *static_cast<question*>(self);
    one.result_ =
        real::getaddrinfo(one.node_, one.service_, one.has_hints_ ? &one.hints_ : nullptr, &one.found_);
    one.error_ = errno;
  }
  int take(addrinfo** result) noexcept {
    if (result_ == 0) *result = found_;
    if (result_ == EAI_SYSTEM) errno = error_;
    found_ = nullptr;
    return result_;
  }
  static void release(void* self) noexcept {
    auto* const one = static_cast<question*>(self);
    if (one->owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (one->found_ != nullptr) freeaddrinfo(one->found_);
    std::free(one->node_);
    std::free(one->service_);
    std::free(self);
  }

 private:
  question(const char* node, const char* service, const addrinfo* hints) noexcept
      : node_(node != nullptr ? strdup(node) : nullptr),
        service_(service != nullptr ? strdup(service) : nullptr),
        has_hints_(hints != nullptr) {
    if (has_hints_) hints_ = *hints;
  }
  ~question() = default;

  std::atomic<int> owners_{2};
  char* const node_;
  char* const service_;
  const bool has_hints_;
  addrinfo hints_{};
  addrinfo* found_ = nullptr;
  int result_ = EAI_AGAIN;
  int error_ = 0;
};

}  // namespace

int look_up_here(const engine& of, const char* node, const char* service, const addrinfo* hints,
                 addrinfo** result) noexcept {
  // Those of an address need no server.
  const bool is_numeric = node == nullptr || (hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0);
  if (is_numeric || is_other_process()) return real::getaddrinfo(node, service, hints, result);
  const int before = errno;
  question* const asked = question::make(node, service, hints);
  if (asked == nullptr) return EAI_MEMORY;
  const int outcome = of.run_abandonable(&question::answer, asked, &question::release);
  errno = before;
  int found = EAI_SYSTEM;
  if (outcome == 0) {
    found = asked->take(result);
  } else if (outcome == -ECANCELED || outcome == -ETIMEDOUT) {
    errno = -outcome;
  } else {
    found = EAI_AGAIN;  // no thread is free
  }
  const int after = errno;
  question::release(asked);
  errno = after;
  return found;
}

}  // namespace weft::inline v1::hook
