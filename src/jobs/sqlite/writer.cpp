#include "jobs/sqlite/writer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::size_t requests_per_turn_max = 1024;
constexpr std::chrono::milliseconds looks_without_bell{20};

/// One exception object for each caller: they end on different threads.
std::exception_ptr copy_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const error& known) {
    return std::make_exception_ptr(error(known));
  } catch (const std::exception& other) {
    return std::make_exception_ptr(error(errc::internal, std::string("jobs: write: ") + other.what()));
  } catch (...) {
    return std::make_exception_ptr(error(errc::internal, "jobs: write: the transaction was undone"));
  }
}

}  // namespace

writer::writer(connection& on, writer_lock& lock, database& statements, turn_queue& requests,
               listeners& heard, const store_options& options)
    : connection_(on),
      schema_(on),
      lock_(lock),
      database_(statements),
      requests_(requests),
      listeners_(heard),
      options_(options),
      checkpoint_at_pages_(static_cast<int>(options.wal_pages_max)) {
  taken_.reserve(requests_per_turn_max);
  data_version_ = connection_.data_version();
}

void writer::run() {
  for (;;) {
    if (!requests_.wait(next_look())) return;
    connection_.assert_own_process();
    turn();
    if (listeners_.any.load(std::memory_order_relaxed)) notice_other_processes();
  }
}

steady_time writer::next_look() const {
  if (!listeners_.any.load(std::memory_order_relaxed)) return no_deadline;
  return deadline_after(listeners_.heard_at_once.load(std::memory_order_relaxed)
                            ? options_.poll_interval
                            : std::min(options_.poll_interval, looks_without_bell));
}

void writer::turn() {
  requests_.take(taken_);
  serve_without_transaction();
  if (!taken_.empty()) write();
}

void writer::serve_without_transaction() {
  const bool only_claims = std::all_of(taken_.begin(), taken_.end(), [](const request* one) {
    return one->kind == request_kind::read || one->kind == request_kind::claim;
  });
  for (request*& one : taken_) {
    if (one->kind != request_kind::read && !only_claims) continue;
    try {
      schema_.check();
      if (one->kind == request_kind::read) {
        one->apply();
      } else if (!one->idle || !one->idle()) {
        continue;
      }
    } catch (...) {
      one->error = std::current_exception();
    }
    requests_.finish(*std::exchange(one, nullptr));
  }
  remove_finished();
}

void writer::write() {
  try {
    const writer_lock::guard held(lock_, options_.busy_timeout);
    write_under_lock();
    checkpoint_if_needed();
  } catch (...) {
    finish_all(std::current_exception());
  }
}

void writer::write_under_lock() {
  apart_ = taken_.size() > 1 &&
           std::any_of(taken_.begin(), taken_.end(), [](const request* one) { return one->once; });
  while (!taken_.empty()) {
    if (try_transaction()) {
      ring_if_needed();
      finish_all(nullptr);
    }
  }
}

bool writer::try_transaction() {
  const bool durable = options_.durable && std::any_of(taken_.begin(), taken_.end(),
                                                       [](const request* one) { return one->durable; });
  connection_.begin(durable, options_.busy_timeout);
  try {
    schema_.check();
    if (!(apart_ ? apply_apart() : apply_together())) return false;
    database_.store_counts();
  } catch (...) {
    connection_.rollback();
    database_.forget_turn();
    throw;
  }
#ifdef WEFT_BUG_8  // callers are answered before the commit
  finish_all(nullptr);
#endif
  commit();
  return true;
}

bool writer::apply_together() {
  for (request*& one : taken_) {
    if (apply(*one)) {
      database_.keep_counts();
      continue;
    }
    connection_.rollback();
    database_.forget_turn();
    if (taken_.size() == 1) {
      requests_.finish(*one);
      taken_.clear();
    }
    apart_ = true;
    return false;
  }
  return true;
}

bool writer::apply_apart() {
  for (request*& one : taken_) {
    if (apply_in_savepoint(*one)) continue;
    // It failed so badly that SQLite undid the whole transaction: those before it are applied again
    // without it, except for bodies of users, which run once.
    give_up_with(one);
    return false;
  }
  return true;
}

void writer::commit() {
  try {
    connection_.commit();
  } catch (const error&) {
    connection_.rollback();
    database_.forget_turn();
    bury_failed_commit();
    throw;
  }
}

// If its sync failed, the pages of the commit are in the log with the mark that ends a commit: whoever opens
// the file after a crash would find done what was refused here. Another commit takes their place.
void writer::bury_failed_commit() noexcept {
  try {
    connection_.begin(false, options_.busy_timeout);
    connection_.execute(
        "INSERT INTO weft_meta (name, value) VALUES ('failed_commits', 1)"
        " ON CONFLICT (name) DO UPDATE SET value = value + 1",
        "note a failed commit");
    connection_.commit();
  } catch (const error& failed) {
    connection_.rollback();
    log::error("jobs: a commit failed and cannot be replaced; a crash before the next one may bring it back",
               {{"error", failed.what()}});
  }
}

void writer::give_up_with(request*& culprit) {
  for (request** former = taken_.data(); former != &culprit; ++former) {
    if (!(*former)->once) continue;
    (*former)->error = copy_of(culprit->error);
    requests_.finish(*std::exchange(*former, nullptr));
  }
  requests_.finish(*std::exchange(culprit, nullptr));
  remove_finished();
  database_.forget_turn();
}

bool writer::apply(request& one) {
  one.error = nullptr;
  try {
    one.apply();
  } catch (...) {
    one.error = std::current_exception();
  }
  return !one.error;
}

bool writer::apply_in_savepoint(request& one) {
  connection_.execute("SAVEPOINT weft_request", "begin a request");
  const bool applied = apply(one);
  if (!connection_.in_transaction()) return false;
  if (!applied) {
    connection_.execute("ROLLBACK TO weft_request", "undo a request");
    database_.forget_request();
  }
  connection_.execute("RELEASE weft_request", "end a request");
  database_.keep_counts();
  return true;
}

void writer::finish_all(const std::exception_ptr& error) {
  if (error) {
    for (request* const one : taken_) one->error = copy_of(error);
  }
  requests_.finish(taken_);
  taken_.clear();
}

void writer::remove_finished() { std::erase(taken_, nullptr); }

void writer::ring_if_needed() {
  const bool has_new_work = database_.take_new_work();
  const auto ended = database_.take_ended();
  if (has_new_work) listeners_.bell.ring();
  for (const std::int64_t id : ended) listeners_.ends.of(job_id{id}).ring();
  if (has_new_work || !ended.empty()) listeners_.others.ring();
}

void writer::checkpoint_if_needed() {
  const int pages = connection_.wal_pages();
  const int bound = static_cast<int>(options_.wal_pages_max);
  // Fewer pages than before: the log was started again. A reader that stays keeps it growing; then we
  // try again after as many pages more.
  if (pages < std::exchange(pages_before_, pages)) checkpoint_at_pages_ = bound;
  if (pages < checkpoint_at_pages_) return;
  checkpoint_at_pages_ = pages + bound;
  try {
    connection_.checkpoint();
  } catch (const error& failed) {
    log::warn("jobs: a checkpoint failed, the log of the database grows",
              {{"error", failed.what()}, {"pages", pages}});
  }
}

void writer::notice_other_processes() {
  try {
    const std::int64_t now = connection_.data_version();
    if (now == std::exchange(data_version_, now)) return;
    listeners_.bell.ring();
    listeners_.ends.ring_all();
  } catch (const error&) {
    // A poll that fails is made up for by the next one; who asks for something gets the error.
  }
}

}  // namespace weft::inline v1::jobs::sqlite
