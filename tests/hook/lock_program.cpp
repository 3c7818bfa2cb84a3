// Two fibers of one thread and a pthread mutex that is held across a hooked wait: the failure mode of
// docs/hook.md. The watchdog says where it hangs, and the program ends with what it was told.

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

[[gnu::noinline]] void call_library(int nap_us) {
  pthread_mutex_lock(&library_lock);
  usleep(static_cast<useconds_t>(nap_us));
  pthread_mutex_unlock(&library_lock);
  asm volatile("" ::: "memory");
}

}  // namespace

int main() {
  return weft::run(
      [] {
        auto holder = weft::go([] { call_library(1000); }, {.name = "holder"});
        weft::yield();
        auto wants = weft::go([] { call_library(0); }, {.name = "wants"});
        wants.join();
        holder.join();
      },
      {.watchdog = std::chrono::milliseconds(50), .on_long_turn = [](const weft::long_turn& turn) {
         if (turn.name != "wants") return;  // another turn was long on a busy machine
         std::printf("%s: %s\n", turn.name.c_str(), turn.calls.c_str());
         std::fflush(stdout);
         std::_Exit(3);
       }});
}
