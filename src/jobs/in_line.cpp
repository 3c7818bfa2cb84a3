#include <weft/jobs/in_line.hpp>

#include <weft/closure/runner.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/control.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>

#include <weft/jobs/control_messages.hpp>
#include "jobs/attempt.hpp"
#include "jobs/jitter.hpp"
#include "jobs/job_ids.hpp"
#include "jobs/later_pushes.hpp"

namespace weft::inline v1::jobs {
namespace {

/// Answers the control of a run that has no worker.
class in_line_link final : public run_link {
 public:
  in_line_link(const control_about& about, const queue& of) : pushes(of), about_(about), clock_(of.clock()) {}

  std::string about(std::string_view object) override {
    if (object != control_object) return {};
    return wire::to_json(about_);
  }
  std::string ask(std::string_view, std::string_view message) override {
    const auto asked = wire::from_json<control_message>(message);
    if (asked.what == control_question::again) {
      if (is_too_late(asked, about_.due, clock_.now())) return wire::to_json(false);
      wanted = wish{asked.wait, asked.backs_off};
    }
    if (asked.what == control_question::step) return wire::to_json(std::optional<std::string>());
    if (asked.what == control_question::push && asked.push) pushes.add(*asked.push);
    if (asked.what == control_question::last_error) return wire::to_json(std::optional<failure>());
    return wire::to_json(true);  // nobody else holds the job, and nobody looks at its progress
  }

  std::optional<wish> wanted;
  later_pushes pushes;

 private:
  const control_about about_;
  const jobs::clock& clock_;
};

void refuse_to_wait(const push_options& options) {
  if (options.after.empty() && options.after_end.empty()) return;
  throw error(
      errc::invalid_argument,
      "jobs: run in line or push: it is to run after other jobs, and would run before them here; push it");
}

void log_error(job_id id) {
  const failure what = failure::from(std::current_exception());
  log::critical("jobs: a run in line failed; it is tried again as a job",
                {{"job", to_string(id)}, {"code", to_string(what.code)}, {"error", what.chain()}});
}

}  // namespace

std::optional<job_id> queue::run_in_line(const detail::pushed_closure& what, services& from,
                                         const push_options& options, in_line_error on_error,
                                         const std::function<void(services&)>& body) {
  refuse_to_wait(options);
  const job_id id = make_id();
  (void)make_job(id, what, options);  // what cannot be pushed must not have run
  in_line_link link(
      {.id = id, .due = clock().now(), .in_line = true, .random = jitter_of(jitter_seed(), id, 0)}, *this);
  try {
    control self(link);
    services task(from, service_scope::per_task);
    task.provide(self);
    body(task);
  } catch (const unwinding&) {
    throw;
  } catch (...) {
    if (on_error == in_line_error::thrown) throw;
    log_error(id);
    link.wanted = wish{retry_policy{}.wait_after(1)};
  }
  if (!link.wanted) {
    const auto push_later = [&] { return store_->push(link.pushes.make()); };
    if (!link.pushes.empty()) shield([&] { with_fresh_ids(push_later); });
    return std::nullopt;
  }
  push_options later = options;
  later.at.reset();
  later.delay = link.wanted->wait;
  job_id next = id;
  const auto push = [&] {
    new_job job = make_job(next, what, later);
    next = make_id();
    job.backoffs = link.wanted->backs_off ? 1 : 0;
    return store_->push({&job, 1}).front();
  };
  // The run asked for another one: that holds also where the caller is cancelled by now.
  return shield([&] { return with_fresh_ids(push); });
}

}  // namespace weft::inline v1::jobs
