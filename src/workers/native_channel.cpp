#include "workers/native_channel.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1::workers::detail {

using weft::detail::wait_in;
using weft::detail::wait_outcome;
using weft::detail::waiter;

namespace {

constexpr const char* checkout_name = "workers::checkout";

// Who may not rely on another thread looks for himself after so long, and then each time after twice as long:
// so a reply is late at most by as much again as it took, and who waits for long costs little.
constexpr auto watch_first_after = std::chrono::milliseconds(5);
constexpr auto watch_last_after = std::chrono::seconds(1);
// What a socket usually holds.
constexpr int look_reads_max = 16;

class looks {
 public:
  looks(bool wanted, steady_time until) : wanted_(wanted), until_(until) {}

  /// When to look next.
  steady_time next() noexcept {
    if (!wanted_) return until_;
    const auto at = std::min(until_, steady_clock::now() + after_);
    after_ = std::min<std::chrono::nanoseconds>(2 * after_, watch_last_after);
    return at;
  }

 private:
  bool wanted_;
  steady_time until_;
  std::chrono::nanoseconds after_ = watch_first_after;
};

bool is_another(std::thread::id one) noexcept {
  return one != std::thread::id() && one != std::this_thread::get_id();
}

bool ends_call(frame_type type) noexcept {
  return type == frame_type::answer || type == frame_type::failed || type == frame_type::exited ||
         type == frame_type::declined;
}

}  // namespace

void native_channel::open(call_slot& one) noexcept {
  const std::lock_guard lock(lock_);
  one.id = ++last_id_;
  one.room = stream_window_bytes;
  one.next = std::exchange(bucket_of(one.id), &one);
  ++open_;
}

void native_channel::close(call_slot& one) noexcept {
  const std::lock_guard lock(lock_);
  call_slot** at = &bucket_of(one.id);
  while (*at != &one) at = &(*at)->next;
  *at = one.next;
  --open_;
}

call_slot* native_channel::find(std::uint64_t id) noexcept {
  call_slot* one = bucket_of(id);
  while (one != nullptr && one->id != id) one = one->next;
  return one;
}

stream_end native_channel::send(bytes frames, steady_time until) {
  bool gathers = false;
  {
    const std::lock_guard lock(lock_);
    if (ended_) return stream_end::closed;
    gathers = open_ > 1;
  }
  if (const auto ended = writer_.wait_for_room(until); ended != stream_end::ok) return ended;
  // With a part of a frame written nothing else can be sent.
  try {
    const auto ended = writer_.send(std::move(frames), until, gathers);
    if (ended != stream_end::ok) break_off();
    return ended;
  } catch (...) {
    break_off();
    throw;
  }
}

void native_channel::break_off() noexcept {
  end(nullptr);
  stream_.shut_down();
}

void native_channel::count_sent() noexcept {
  const std::lock_guard lock(lock_);
  ++unanswered_;
}

bool native_channel::has_open() const noexcept {
  const std::lock_guard lock(lock_);
  return open_ != 0;
}

std::size_t native_channel::unanswered() const noexcept {
  const std::lock_guard lock(lock_);
  return unanswered_;
}

bool native_channel::said_goodbye() const noexcept {
  const std::lock_guard lock(lock_);
  return said_goodbye_;
}

stream_end native_channel::receive(call_slot& of, arrived_frame& into, steady_time until) {
  arrived_frames::list taken;
  {
    std::unique_lock lock(lock_);
    while (of.arrived.is_empty()) {
      if (const auto ended = wait(of, lock, until); ended != stream_end::ok && of.arrived.is_empty()) {
        pass_on_unread();
        return ended;
      }
    }
    taken = of.arrived.take();
    pass_on_unread();
  }
  into = std::move(taken.front());
  return stream_end::ok;
}

stream_end native_channel::take_room(call_slot& of, std::size_t wanted, std::size_t& room,
                                     steady_time until) {
  std::unique_lock lock(lock_);
  while (!of.is_over && of.room <= stream_part_overhead) {
    const auto ended = wait(of, lock, until);
    if (ended != stream_end::ok && !of.is_over) {
      pass_on_unread();
      return ended;
    }
  }
  pass_on_unread();
  if (of.is_over) return stream_end::closed;
  room = std::min<std::size_t>(wanted, of.room - stream_part_overhead);
  of.room -= room + stream_part_overhead;
  return stream_end::ok;
}

// Whoever reads does so while this lives, and the next one goes on after it.
class native_channel::reading {
 public:
  explicit reading(native_channel& of) : of_(of) {}
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;
  ~reading() {
    const std::lock_guard lock(of_.lock_);
    of_.is_read_ = false;
    of_.pass_reading_on();
  }

 private:
  native_channel& of_;
};

stream_end native_channel::wait(call_slot& of, std::unique_lock<weft::detail::spin_lock>& lock,
                                steady_time until) {
  if (ended_ && why_ != nullptr) {
    const auto why = why_;
    lock.unlock();
    std::rethrow_exception(why);
  }
  if (ended_) return stream_end::closed;
  if (!is_read_) {
    is_read_ = true;
    reader_ = std::this_thread::get_id();
    const auto seen = of.changes;
    lock.unlock();
    const auto ended = [&] {
      const reading role(*this);
      return read_frames(of, seen, until);
    }();
    lock.lock();
    return ended;
  }
  return wait_for_reader(of, lock, until);
}

// Ok where it is to be looked again what there is.
stream_end native_channel::wait_for_reader(call_slot& of, std::unique_lock<weft::detail::spin_lock>& lock,
                                           steady_time until) {
  looks all(is_another(reader_) || is_another(stream_.polled_by()), until);
  const auto seen = of.changes;
  while (is_read_ && !ended_ && of.changes == seen) {
    const auto bound = all.next();
    waiter self;
    const auto outcome = wait_in(of.waiting, self, lock, bound, checkout_name);
    if (outcome == wait_outcome::served) return stream_end::ok;
    lock.unlock();
    if (outcome == wait_outcome::cancelled) weft::detail::throw_cancelled(checkout_name);
    look_aside();
    lock.lock();
    if (bound == until && !ended_) return stream_end::timed_out;
  }
  return stream_end::ok;
}

template <typename Work>
auto native_channel::ending_on_error(Work work) {
  try {
    return work();
  } catch (const unwinding&) {
    throw;
  } catch (...) {
    end(std::current_exception());
    stream_.shut_down();  // another one may wait there
    throw;
  }
}

// Another task that looks aside may take what this one waits for, and then nothing wakes it but its own
// looks.
stream_end native_channel::read_frames(call_slot& of, std::uint32_t seen, steady_time until) {
  const auto has_changed = [&] {
    const std::lock_guard lock(lock_);
    return ended_ || of.changes != seen;
  };
  return ending_on_error([&] {
    {
      const std::lock_guard mine(stream_lock_);
      if (hand_out_frames()) return stream_end::ok;
    }
    looks all(true, until);
    while (true) {
      const auto bound = all.next();
      auto ended = stream_end::timed_out;
      if (stream_.wait_readable(bound)) {
        const std::lock_guard mine(stream_lock_);
        ended = stream_.fill_now();
        if (ended == stream_end::ok) hand_out_frames();
        if (ended == stream_end::closed) end(nullptr);
        if (ended != stream_end::timed_out) return ended;
      } else if (look_aside()) {
        return stream_end::ok;
      } else if (bound == until) {
        return stream_end::timed_out;
      }
      if (has_changed()) return stream_end::ok;
    }
  });
}

bool native_channel::look_aside() {
  return ending_on_error([&] {
    const std::lock_guard mine(stream_lock_);
    auto ended = stream_end::ok;
    bool any = false;
    for (int i = 0; i < look_reads_max && ended == stream_end::ok; ++i) {
      ended = stream_.fill_aside();
      if (ended != stream_end::timed_out) any = true;
      if (ended == stream_end::ok) hand_out_frames();
      if (ended == stream_end::closed) end(nullptr);
    }
    return any;
  });
}

bool native_channel::hand_out_frames() {
  bool any = false;
  while (auto next = stream_.next()) {
    hand_out(std::move(*next));
    any = true;
  }
  return any;
}

void native_channel::hand_out(wire::frame frame) {
  const auto type = static_cast<frame_type>(frame.type);
  const std::uint64_t id = frame.request_id;
  const std::uint64_t credit = type == frame_type::credit_out ? read_credit(frame) : 0;
  arrived_frames::list one;  // what is not kept of it is freed without the lock
  one.emplace_back().frame = std::move(frame);
  std::unique_lock lock(lock_);
  if (type == frame_type::goodbye) said_goodbye_ = true;
  if (ends_call(type) && unanswered_ > 0) --unanswered_;
  call_slot* const to = find(id);
  if (to == nullptr || to->is_over) return;
  to->room += credit;
  to->is_over = ends_call(type);
  ++to->changes;
  const bool fits = to->arrived.add(one);
  to->waiting.serve_all();
  lock.unlock();
  if (!fits)
    throw error(errc::malformed, "workers: read from a worker: more came for a call than it has room for");
}

// With the lock. A task that was to read next may have found there what it waited for.
void native_channel::pass_on_unread() noexcept {
  if (!is_read_ && open_ > 1) pass_reading_on();
}

// With the lock. Who stands in a line has not been served by what is there.
void native_channel::pass_reading_on() noexcept {
  for (call_slot* one : slots_) {
    for (; one != nullptr; one = one->next) {
      if (one->waiting.serve_front()) return;
    }
  }
}

void native_channel::end(std::exception_ptr why) noexcept {
  const std::lock_guard lock(lock_);
  if (!std::exchange(ended_, true)) why_ = std::move(why);
  for (call_slot* one : slots_) {
    for (; one != nullptr; one = one->next) one->waiting.serve_all();
  }
}

}  // namespace weft::inline v1::workers::detail
