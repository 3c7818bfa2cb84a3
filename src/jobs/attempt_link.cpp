#include "jobs/attempt_link.hpp"

#include <algorithm>
#include <chrono>

#include <weft/context/cancellation.hpp>
#include <weft/wire/json.hpp>

#include "jobs/job_step.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/longest_wait.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::milliseconds progress_interval{100};

}  // namespace

std::string attempt_link::about(std::string_view object) {
  if (object != control_object) return {};
  return wire::to_json(about_);
}

std::string attempt_link::ask(std::string_view object, std::string_view message) {
  if (object != control_object) {
    throw error(errc::not_found, "jobs: answer \"" + std::string(object) + "\": the run of a job has only " +
                                     std::string(control_object));
  }
  const auto asked = wire::from_json<control_message>(message);
  if (asked.what == control_question::still_mine) {
    return wire::to_json(store_.holds(claimed_.id, owner_, claimed_.fence));
  }
  if (asked.what == control_question::progress) {
    if (asked.progress && is_worth_keeping(*asked.progress)) {
      store_.progress(claimed_.id, owner_, claimed_.fence, *asked.progress);
    }
    return wire::to_json(true);
  }
  if (asked.what == control_question::step) return wire::to_json(kept_step(asked.step));
  if (asked.what == control_question::keep_step) {
    const auto value = step_to_store(keys_, claimed_.id, asked.step, asked.value);
    return wire::to_json(
        shield([&] { return store_.keep_step(claimed_.id, owner_, claimed_.fence, asked.step, value); }));
  }
  if (asked.what == control_question::push) {
    if (asked.push) pushes_.add(*asked.push);
    return wire::to_json(true);
  }
  if (asked.what == control_question::last_error) return wire::to_json(last_error());
  if (is_too_late(asked, about_.due, clock_.now())) return wire::to_json(false);
  const std::lock_guard lock(mutex_);
  wanted_ = wish{bounded_wait(asked.wait), asked.backs_off, asked.error};
  return wire::to_json(true);
}

std::optional<failure> attempt_link::last_error() {
  const auto job = store_.find(claimed_.id);
  if (!job) return std::nullopt;
  const auto before = std::find_if(job->past.rbegin(), job->past.rend(),
                                   [&](const stored_attempt& one) { return one.fence < claimed_.fence; });
  if (before == job->past.rend()) return std::nullopt;
  auto error = read_attempt(*before).error;
  if (!error && before->outcome == attempt_outcome::crashed) {  // found by a rescue: nobody could say more
    error.emplace();
    error->code = errc::worker_died;
    error->message = "jobs: run job " + to_string(claimed_.id) + ": its worker died";
    error->when = before->ended;
  }
  return error;
}

std::optional<std::string> attempt_link::kept_step(std::string_view name) {
  const auto kept = store_.step(claimed_.id, name);
  if (!kept) return std::nullopt;
  try {
    return read_step(keys_, claimed_.id, name, *kept);
  } catch (const error& bad) {
    if (!is_fault_of_the_row(bad.code())) {
      const std::lock_guard lock(mutex_);
      unread_ = failure::from(std::current_exception());
    }
    throw;
  }
}

bool attempt_link::is_worth_keeping(const job_progress& one) {
  const auto now = steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (one.done != one.total && shown_ && now - *shown_ < progress_interval) return false;
  shown_ = now;
  return true;
}

std::optional<failure> attempt_link::unread_step() const {
  const std::lock_guard lock(mutex_);
  return unread_;
}

std::optional<wish> attempt_link::wanted() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

}  // namespace weft::inline v1::jobs
