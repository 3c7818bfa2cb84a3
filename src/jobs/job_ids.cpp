#include "jobs/job_ids.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include <unistd.h>

#include <weft/wire/random.hpp>

namespace weft::jobs {
namespace {

constexpr int tag_bits = 11;

std::int64_t random_bits(int count) {
  std::uint64_t bits = 0;
  wire::fill_random(std::as_writable_bytes(std::span(&bits, 1)));
  return static_cast<std::int64_t>(bits >> (64 - count));
}

std::atomic<std::int64_t> last_micros{0};
std::atomic<std::int64_t> tag{-1};
std::atomic<pid_t> tag_owner{0};

/// The tag of this process; a forked child draws its own.
std::int64_t process_tag() {
  const pid_t self = ::getpid();
  if (tag_owner.load(std::memory_order_acquire) != self) {
    tag.store(random_bits(tag_bits), std::memory_order_relaxed);
    tag_owner.store(self, std::memory_order_release);
  }
  return tag.load(std::memory_order_relaxed);
}

}  // namespace

job_id make_job_id(moment now) {
  const std::int64_t micros = std::max<std::int64_t>(now.time_since_epoch().count(), 1);
  std::int64_t last = last_micros.load(std::memory_order_relaxed);
  std::int64_t mine = 0;
  do {
    mine = std::max(micros, last + 1);
  } while (!last_micros.compare_exchange_weak(last, mine, std::memory_order_relaxed));
  return job_id{mine << tag_bits | process_tag()};
}

worker_id make_worker_id() { return worker_id{random_bits(62) + 1}; }

}  // namespace weft::jobs
