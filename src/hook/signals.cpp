#include "hook/signals.hpp"

#include <atomic>
#include <cerrno>

#include "hook/caller.hpp"
#include "hook/exported.hpp"
#include "hook/real_call.hpp"

namespace weft::inline v1::hook {
namespace {

using plain_handler = void (*)(int);
using handler_of_three = void (*)(int, siginfo_t*, void*);

/// What the program has set for a signal, where it is a function.
struct program_handler {
  std::atomic<plain_handler> plain{nullptr};
  std::atomic<handler_of_three> of_three{nullptr};
};

constinit program_handler handlers[NSIG];
constinit std::atomic<bool> has_weft{false};

void run_handler(int number, siginfo_t* about, void* context) {
  ++this_thread.handlers;
  const program_handler& of = handlers[number];
  if (const handler_of_three one = of.of_three.load()) {
    one(number, about, context);
  } else if (const plain_handler other = of.plain.load()) {
    other(number);
  }
  --this_thread.handlers;
}

/// A signal may come at any point: there is always one of them where there was one.
void set_program_handler(program_handler& of, plain_handler plain, handler_of_three of_three) noexcept {
  if (of_three != nullptr) {
    of.of_three.store(of_three);
    of.plain.store(nullptr);
  } else {
    of.plain.store(plain);
    of.of_three.store(nullptr);
  }
}

bool is_function(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

/// What the program had set, for what the kernel has.
void show_program_its_own(struct sigaction& shown, plain_handler plain, handler_of_three of_three) noexcept {
  if ((shown.sa_flags & SA_SIGINFO) == 0 || shown.sa_sigaction != &run_handler) return;
  if (of_three != nullptr) {
    shown.sa_sigaction = of_three;
  } else {
    shown.sa_flags &= ~SA_SIGINFO;
    shown.sa_handler = plain;
  }
}

}  // namespace

int set_action(int number, const struct sigaction* action, struct sigaction* former) noexcept {
  if (!has_weft.load(std::memory_order_relaxed) || number <= 0 || number >= NSIG) {
    return real::sigaction(number, action, former);
  }
  program_handler& of = handlers[number];
  const plain_handler former_plain = of.plain.load();
  const handler_of_three former_of_three = of.of_three.load();
  int result = 0;
  if (action != nullptr && is_function(*action)) {
    struct sigaction ours = *action;
    const bool takes_three = (action->sa_flags & SA_SIGINFO) != 0;
    ours.sa_flags |= SA_SIGINFO;
    ours.sa_sigaction = &run_handler;
    set_program_handler(of, takes_three ? nullptr : action->sa_handler,
                        takes_three ? action->sa_sigaction : nullptr);
    result = real::sigaction(number, &ours, former);
    if (result != 0) set_program_handler(of, former_plain, former_of_three);
  } else {
    result = real::sigaction(number, action, former);
  }
  if (result == 0 && former != nullptr) show_program_its_own(*former, former_plain, former_of_three);
  return result;
}

sighandler_t set_handler(int number, sighandler_t handler) noexcept {
  if (!has_weft.load(std::memory_order_relaxed)) return real::signal(number, handler);
  struct sigaction wanted {};
  struct sigaction former {};
  wanted.sa_handler = handler;
  wanted.sa_flags = SA_RESTART;
  sigaddset(&wanted.sa_mask, number);
  return set_action(number, &wanted, &former) == 0 ? former.sa_handler : SIG_ERR;
}

void begin_program() noexcept { has_weft.store(true, std::memory_order_relaxed); }

}  // namespace weft::inline v1::hook

extern "C" WEFT_EXPORTED void weft_hook_program_1() noexcept { weft::hook::begin_program(); }
