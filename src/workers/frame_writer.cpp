#include "workers/frame_writer.hpp"

#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>

namespace weft::inline v1::workers::detail {

using weft::detail::wait_in;
using weft::detail::wait_outcome;
using weft::detail::waiter;

namespace {

// Frames up to this size are put together for one system call.
constexpr std::size_t joined_bytes_max = std::size_t{64} * 1024;

constexpr const char* writer_name = "workers::frame_writer";

std::size_t bytes_in(const std::list<bytes>& frames) noexcept {
  std::size_t all = 0;
  for (const auto& one : frames) all += one.size();
  return all;
}

}  // namespace

std::optional<stream_end> frame_writer::begin(std::list<bytes>& frames) {
  const std::size_t more = bytes_in(frames);
  const std::lock_guard lock(lock_);
  if (at_ == step::ended) {
    frames.splice(frames.end(), waiting_);  // for nobody; freed without the lock
    return stream_end::closed;
  }
  waiting_.splice(waiting_.end(), frames);
  waiting_bytes_ += more;
  if (at_ == step::writing || waiting_.empty()) return stream_end::ok;
  at_ = step::writing;
  return std::nullopt;
}

stream_end frame_writer::send(bytes frames, steady_time until, bool gathers) {
  std::list<bytes> one;
  one.push_back(std::move(frames));
  if (const auto ended = begin(one)) return *ended;
  if (gathers) shield([] { weft::yield(); });
  return write_all(until);
}

void frame_writer::post(bytes frames) {
  std::list<bytes> one;
  one.push_back(std::move(frames));
  const std::lock_guard lock(lock_);
  waiting_bytes_ += one.front().size();
  waiting_.splice(waiting_.end(), one);
}

bool frame_writer::is_full() const noexcept {
  const std::lock_guard lock(lock_);
  return waiting_bytes_ > waiting_bytes_max;
}

bool frame_writer::has_posted() const noexcept {
  const std::lock_guard lock(lock_);
  return at_ == step::idle && !waiting_.empty();
}

stream_end frame_writer::wait_for_room(steady_time until) {
  std::unique_lock lock(lock_);
  while (at_ == step::writing && waiting_bytes_ > waiting_bytes_max) {
    waiter self;
    const auto outcome = wait_in(full_, self, lock, until, writer_name);
    if (outcome == wait_outcome::timed_out) return stream_end::timed_out;
    if (outcome == wait_outcome::cancelled) {
      lock.unlock();
      weft::detail::throw_cancelled(writer_name);
    }
  }
  return at_ == step::ended ? stream_end::closed : stream_end::ok;
}

stream_end frame_writer::flush(steady_time until) {
  std::list<bytes> none;
  if (const auto ended = begin(none)) return *ended;
  return write_all(until);
}

// The caller has moved it to writing.
stream_end frame_writer::write_all(steady_time until) {
  try {
    while (true) {
      std::list<bytes> taken;
      {
        const std::lock_guard lock(lock_);
        if (waiting_.empty()) {
          at_ = step::idle;
          return stream_end::ok;
        }
        take_waiting(taken);
      }
      if (const auto ended = write(taken, until); ended != stream_end::ok) {
        end();
        return ended;
      }
    }
  } catch (...) {
    end();
    throw;
  }
}

stream_end frame_writer::write(std::list<bytes>& frames, steady_time until) {
  while (!frames.empty()) {
    bytes joined = std::move(frames.front());
    frames.pop_front();
    while (!frames.empty() && joined.size() + frames.front().size() <= joined_bytes_max) {
      joined.insert(joined.end(), frames.front().begin(), frames.front().end());
      frames.pop_front();
    }
    if (const auto ended = stream_.write(joined, until, meanwhile_); ended != stream_end::ok) return ended;
  }
  return stream_end::ok;
}

void frame_writer::end() noexcept {
  std::list<bytes> dropped;
  const std::lock_guard lock(lock_);
  at_ = step::ended;
  take_waiting(dropped);
}

// With the lock.
void frame_writer::take_waiting(std::list<bytes>& into) noexcept {
  into.swap(waiting_);
  waiting_bytes_ = 0;
  full_.serve_all();
}

}  // namespace weft::inline v1::workers::detail
