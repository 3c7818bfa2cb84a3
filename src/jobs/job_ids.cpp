#include "jobs/job_ids.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

#include <unistd.h>

#include <weft/core/oracle.hpp>
#include <weft/wire/random.hpp>

#include "jobs/jitter.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr int tag_bits = 11;
constexpr std::int64_t tags_of_databases = 256;  // the first ones: of jobs that weft_push of PostgreSQL makes
constexpr std::int64_t tags_of_processes = (std::int64_t{1} << tag_bits) - tags_of_databases;

/// Chance is the oracle's in a simulation, as ids decide orders.
std::int64_t random_bits(int count) {
  std::uint64_t bits = 0;
  if (auto* const decides = weft::detail::oracle::current()) {
    constexpr int at_once = 16;
    for (int have = 0; have < 64; have += at_once) bits = bits << at_once | decides->choose(1U << at_once);
    return static_cast<std::int64_t>(bits >> (64 - count));
  }
  wire::fill_random(std::as_writable_bytes(std::span(&bits, 1)));
  return static_cast<std::int64_t>(bits >> (64 - count));
}

/// What keeps ids apart: the last moment used here, and the tag of this process.
struct id_source {
  std::atomic<std::int64_t> last_micros{0};
  std::atomic<std::int64_t> tag{-1};
  std::atomic<pid_t> tag_owner{0};  // a forked child draws its own

  std::int64_t own_tag() {
    const pid_t self = ::getpid();
    if (tag_owner.load(std::memory_order_acquire) != self) {
      tag.store(tags_of_databases + random_bits(62) % tags_of_processes, std::memory_order_relaxed);
      tag_owner.store(self, std::memory_order_release);
    }
    return tag.load(std::memory_order_relaxed);
  }
};

id_source& source() {
  static id_source of_process;
  auto* const decides = weft::detail::oracle::current();
  if (decides == nullptr) return of_process;
  auto& own = decides->instance(&of_process);
  if (own == nullptr) own = std::make_shared<id_source>();
  return *static_cast<id_source*>(own.get());
}

}  // namespace

job_id make_job_id(moment now) {
  const std::int64_t micros = std::max<std::int64_t>(now.time_since_epoch().count(), 1);
  id_source& from = source();
  std::int64_t last = from.last_micros.load(std::memory_order_relaxed);
  std::int64_t mine = 0;
  do {
    mine = std::max(micros, last + 1);
  } while (!from.last_micros.compare_exchange_weak(last, mine, std::memory_order_relaxed));
  return job_id{mine << tag_bits | from.own_tag()};
}

job_id smallest_id_at(moment at) noexcept {
  constexpr std::int64_t last_micros = INT64_MAX >> tag_bits;
  return job_id{std::clamp<std::int64_t>(at.time_since_epoch().count(), 0, last_micros) << tag_bits};
}

worker_id make_worker_id() { return worker_id{random_bits(62) + 1}; }

std::uint64_t make_jitter_seed() { return static_cast<std::uint64_t>(random_bits(63)); }

double jitter_of(std::uint64_t seed, job_id id, std::int64_t run) noexcept {
  std::uint64_t mixed = seed;
  for (const std::int64_t part : {static_cast<std::int64_t>(id), run}) {  // splitmix64
    mixed += 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(part);
    mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31U;
  }
  return static_cast<double>(mixed >> 11U) * 0x1.0p-53;
}

}  // namespace weft::inline v1::jobs
