#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "log/routes.hpp"
#include "log/writer.hpp"

namespace weft::inline v1::log {
namespace {

using namespace std::chrono_literals;

constexpr auto close_bound = 5000ms;        // for what is queued when a sink is destroyed
constexpr int blocked_fd_wait_ms = 1000;    // for room in a descriptor that does not block
constexpr std::size_t write_bytes = 65536;  // lines are gathered up to this

// Does this thread format a record? It holds the lock of a writer's output then.
constinit thread_local bool is_formatting = false;

// Writers whose thread could not be ended here; kept, since the thread may still use them.
std::atomic<line_sink::writer*> abandoned{nullptr};

/// Does a simulation log? It has no thread of its own for that: whoever logs or flushes there writes.
bool is_simulated() noexcept { return weft::detail::oracle::current() != nullptr; }

/// A new one, or one that was cut to nothing: no line needs to be ended there.
bool is_empty_file(int fd) noexcept {
  struct stat of {};
  return ::fstat(fd, &of) == 0 && S_ISREG(of.st_mode) && of.st_size == 0;
}

}  // namespace

line_sink::writer::writer(const line_sink_options& options, line_formatter format)
    : options_(options), format_(std::move(format)), generation_(detail::fork_generation()) {}

void line_sink::writer::count_dropped(std::uint64_t records) noexcept {
  dropped_.fetch_add(records, std::memory_order_relaxed);
  detail::count_dropped(records);
}

void line_sink::writer::nudge() {
  std::unique_lock lock(mutex_);
  nudged_ = true;
  if (!ensure_thread()) {
    write_queued(lock);
  } else {
    wake_.notify_one();
  }
}

bool line_sink::writer::is_inherited() const noexcept { return generation_ != detail::fork_generation(); }

bool line_sink::writer::ensure_thread() {
  if (running_) {
    if (std::exchange(stop_, false)) ended_.notify_all();  // it goes on: whoever stops it need not wait
    return true;
  }
  if (detail::is_exiting() || is_simulated()) return false;
  if (thread_.joinable()) thread_.join();  // it has ended already
  stop_ = false;
  try {
    thread_ =
        weft::detail::started_thread("weft-log", weft::detail::thread_signals::blocked, [this] { run(); });
    running_ = true;
  } catch (const weft::error&) {
    // No thread to be had: whoever logs writes.
  }
  return running_;
}

void line_sink::writer::accept(const std::shared_ptr<const record>& one) {
  std::unique_lock lock(mutex_);
  if (queue_.size() >= options_.queue_records_max) {
    count_dropped();
    return;
  }
  queue_.push_back(one);
  ++accepted_;
  if (!ensure_thread()) {
    write_queued(lock);
  } else if (queue_.size() == 1) {
    wake_.notify_one();
  }
}

void line_sink::writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !queue_.empty() || nudged_ || stop_; });
    if (queue_.empty() && !nudged_) break;
    write_queued(lock);
  }
  running_ = false;
  ended_.notify_all();
}

void line_sink::writer::write_queued(std::unique_lock<std::mutex>& lock) {
  batch taken;
  taken.swap(queue_);
  nudged_ = false;
  lock.unlock();
  {
    const std::lock_guard writing(output_);
    write_batch(taken);
  }
  finish(taken.size());
  lock.lock();
}

void line_sink::writer::write_batch(const batch& records) {
  lines made;
  if (options_.before_lines) format_with([&] { options_.before_lines(made.bytes); }, made.bytes);
  for (const auto& one : records) {
    const std::size_t before = made.bytes.size();
    format_one(*one, made.bytes);
    if (made.bytes.size() > before) made.record_ends.push_back(made.bytes.size());
    if (made.bytes.size() < write_bytes) continue;
    write_out(made);
    made = {};
  }
  tell_dropped(made.bytes);
  write_out(made);
}

void line_sink::writer::format_one(const record& one, std::string& out) {
  format_with([&] { format_(one, out); }, out);
}

template <typename Append>
void line_sink::writer::format_with(Append append, std::string& out) {
  const std::size_t before = out.size();
  const no_wait_scope no_wait("the formatter of a log sink");
  is_formatting = true;
  try {
    append();
  } catch (...) {
    out.resize(before);
    count_dropped();
  }
  is_formatting = false;
}

void line_sink::writer::tell_dropped(std::string& out) {
  const std::uint64_t total = dropped();
  if (total == dropped_told_) return;
  record notice;
  notice.time = now();
  notice.level = level::warn;
  notice.message = "log: records were dropped: they came faster than they could be written";
  notice.fields.push_back({"dropped", total - dropped_told_});
  notice.process_id = getpid();
  dropped_told_ = total;
  format_one(notice, out);
}

void line_sink::writer::write_out(const lines& made) {
  if (made.bytes.empty()) return;
  const std::size_t done = ended_cut_line() ? write_while_room(made.bytes) : 0;
  if (done == made.bytes.size()) return;
  if (done > 0) is_cut_ = made.bytes[done - 1] != '\n';
  const auto first_left = std::ranges::upper_bound(made.record_ends, done);
  count_dropped(static_cast<std::uint64_t>(made.record_ends.end() - first_left));
}

bool line_sink::writer::ended_cut_line() {
  if (is_cut_) is_cut_ = !is_empty_file(options_.fd) && write_while_room("\n") == 0;
  return !is_cut_;
}

std::size_t line_sink::writer::write_while_room(std::string_view bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(options_.fd, bytes.data() + done, bytes.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN) {
      pollfd room{options_.fd, POLLOUT, 0};
      ::poll(&room, 1, blocked_fd_wait_ms);
    } else if (errno != EINTR) {
      break;
    }
  }
  return done;
}

void line_sink::writer::finish(std::uint64_t records) {
  const std::lock_guard lock(flush_lock_);
  finished_ += records;
  for (auto* at = flushers_.front(); at != nullptr;) {
    auto* const next = flushers_.behind(*at);
    if (static_cast<flusher*>(at->slot)->target <= finished_) flushers_.serve(*at);
    at = next;
  }
}

bool line_sink::writer::flush(std::chrono::milliseconds bound) {
  if (is_simulated()) {
    std::unique_lock lock(mutex_);
    write_queued(lock);  // behind what the thread is writing
    return true;
  }
  flusher mine{};
  {
    const std::lock_guard lock(mutex_);
    mine.target = accepted_;
  }
  mine.waiter.slot = &mine;
  std::unique_lock lock(flush_lock_);
  if (finished_ >= mine.target) return true;
  constexpr bool cancellable = false;
  return weft::detail::wait_in(flushers_, mine.waiter, lock, deadline_after(bound), "log::flush",
                               cancellable) == weft::detail::wait_outcome::served;
}

bool line_sink::writer::stop(std::chrono::milliseconds bound) {
  std::unique_lock lock(mutex_);
  stop_ = true;
  wake_.notify_one();
  ended_.wait_for(lock, bound, [this] { return !running_ || !stop_; });
  if (running_) return false;
  if (thread_.joinable()) thread_.join();
  return true;
}

line_sink::line_sink(line_sink_options options, line_formatter format)
    : writer_(std::make_unique<writer>(options, std::move(format))) {}

line_sink::~line_sink() {
  if (!writer_->is_inherited() && writer_->stop(close_bound)) return;
  writer* const left = writer_.release();
  left->next_abandoned = abandoned.load();
  while (!abandoned.compare_exchange_weak(left->next_abandoned, left)) {
  }
}

void line_sink::accept(const std::shared_ptr<const record>& one) noexcept {
  if (writer_->is_inherited() || is_formatting) return writer_->count_dropped();
  try {
    writer_->accept(one);
  } catch (...) {
    writer_->count_dropped();
  }
}

bool line_sink::flush(std::chrono::milliseconds bound) {
  if (is_formatting) return false;
  return writer_->is_inherited() || writer_->flush(bound);
}

void line_sink::pause(std::chrono::milliseconds bound) noexcept {
  if (writer_->is_inherited()) return;
  try {
    if (flush(bound)) writer_->stop(bound);
  } catch (...) {
    // No wait is allowed here: the thread goes on, and nothing is lost.
  }
}

void line_sink::nudge() noexcept {
  if (writer_->is_inherited() || is_formatting) return;
  try {
    writer_->nudge();
  } catch (...) {
    // No memory for a thread: the next line is written by another one, or by who logs.
  }
}

std::uint64_t line_sink::dropped() const noexcept { return writer_->dropped(); }
level line_sink::threshold() const noexcept { return writer_->threshold(); }

}  // namespace weft::inline v1::log
