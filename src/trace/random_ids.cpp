#include "trace/random_ids.hpp"

#include <pthread.h>
#include <sys/random.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include <weft/core/clock.hpp>
#include <weft/core/oracle.hpp>

// Numbers come from a generator of each thread (xoroshiro128++), begun with random bytes of the system. A
// forked child has its parent's generators; it begins them anew, or both would give the same ids.

namespace weft::inline v1::trace::detail {
namespace {

std::atomic<std::uint64_t> fork_generation{1};

std::uint64_t mixed(std::uint64_t value) noexcept {  // splitmix64
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

struct generator {
  std::uint64_t generation = 0;  // of the process it began in; 0: not begun
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void begin() noexcept {
    static std::once_flag once;
    std::call_once(once, [] {
      pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
    });
    std::uint64_t seed[2] = {0, 0};
    if (::getrandom(seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
      // An old kernel: unique at least among the threads of the machine.
      const auto now =
          static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
      seed[0] = mixed(now);
      seed[1] = mixed(seed[0] ^ reinterpret_cast<std::uintptr_t>(this));
    }
    low = seed[0];
    high = seed[1] | 1;  // not both zero
    generation = fork_generation.load(std::memory_order_relaxed);
  }

  std::uint64_t next() noexcept {
    if (generation != fork_generation.load(std::memory_order_relaxed)) begin();
    const std::uint64_t result = std::rotl(low + high, 17) + low;
    const std::uint64_t both = low ^ high;
    low = std::rotl(low, 49) ^ both ^ (both << 21);
    high = std::rotl(both, 28);
    return result;
  }
};

constinit thread_local generator of_thread;

/// In a simulation there is one counter, which begins with it.
std::uint64_t next_of_simulation(weft::detail::oracle& decides) noexcept {
  static const char key = 0;
  auto& counter = decides.instance(&key);
  if (counter == nullptr) counter = std::make_shared<std::uint64_t>(0);
  return mixed(++*static_cast<std::uint64_t*>(counter.get()));
}

std::uint64_t next_number() noexcept {
  auto* const decides = weft::detail::oracle::current();
  return decides == nullptr ? of_thread.next() : next_of_simulation(*decides);
}

void put(std::uint64_t number, std::uint8_t* into) noexcept {
  for (int shift = 56; shift >= 0; shift -= 8) *into++ = static_cast<std::uint8_t>(number >> shift);
}

}  // namespace

trace_id new_trace_id() noexcept {
  trace_id made;
  while (!made) {
    put(next_number(), made.bytes.data());
    put(next_number(), made.bytes.data() + 8);
  }
  return made;
}

span_id new_span_id() noexcept {
  span_id made;
  while (!made) put(next_number(), made.bytes.data());
  return made;
}

double sample_point(const trace_id& of) noexcept {
  std::uint64_t number = 0;
  for (std::size_t at = 9; at < of.bytes.size(); ++at) number = number << 8 | of.bytes[at];
  return static_cast<double>(number >> 3) * 0x1p-53;
}

}  // namespace weft::inline v1::trace::detail
