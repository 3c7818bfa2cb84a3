#include <weft/jobs/control.hpp>

#include <algorithm>
#include <cmath>

#include <weft/closure/runner.hpp>
#include <weft/codec/bytes.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/wire/json.hpp>

#include <weft/jobs/control_messages.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr double longest_seconds = 3e9;  // about a century; more would not fit a moment

bool ask(run_link& link, const control_message& message) {
  return wire::from_json<bool>(link.ask(control_object, wire::to_json(message)));
}

template <typename Error>
[[noreturn]] void give_up(const Error& with, const std::exception_ptr& last_error) {
  if (last_error == nullptr) throw with;
  try {
    std::rethrow_exception(last_error);
  } catch (...) {
    std::throw_with_nested(with);
  }
}

template <typename Add>
void if_new(Add add) {
  try {
    add();
  } catch (const error& refused) {
    if (refused.code() != errc::already_exists) throw;
  }
}

}  // namespace

control::control(run_link& link) : link_(link) {
  const std::string text = link.about(control_object);
  if (text.empty()) {
    throw error(errc::not_found, "jobs: make the control of a job: this run is not an attempt of a job");
  }
  const auto about = wire::from_json<control_about>(text);
  id_ = about.id;
  attempt_ = about.attempt;
  backoffs_ = about.backoffs;
  due_ = about.due;
  in_line_ = about.in_line;
  random_ = about.random;
}

void control::delay(std::chrono::microseconds wait, const delay_options& options,
                    std::exception_ptr last_error) {
  control_message again{.what = control_question::again,
                        .wait = std::max(wait, std::chrono::microseconds(0))};
  again.age_max = options.age_max;
  if (last_error) again.error = failure::from(last_error);
  if (ask(link_, again)) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.age_max.value_or(wait));
  give_up(job_too_old("jobs: delay job " + to_string(id_) + ": the next attempt would begin past its " +
                      std::to_string(seconds.count()) + " s"),
          last_error);
}

void control::backoff(int max_exponent, const backoff_options& options, std::exception_ptr last_error) {
  if (max_exponent < 0 || options.base < 1 || !(options.jitter >= 0 && options.jitter <= 1)) {
    throw error(errc::invalid_argument,
                "jobs: back off in job " + to_string(id_) +
                    ": the exponent must be at least 0, the base at least 1, and the jitter 0 to 1");
  }
  if (backoffs_ > max_exponent) {
    give_up(retries_exceeded("jobs: back off in job " + to_string(id_) + ": all " +
                             std::to_string(max_exponent + 1) + " retries were used"),
            last_error);
  }
  const double spread = 1 + options.jitter * random_;
  const double seconds = std::min(std::pow(options.base, backoffs_) * spread, longest_seconds);
  control_message again{.what = control_question::again, .backs_off = true};
  again.wait = std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6));
  if (last_error) again.error = failure::from(last_error);
  ask(link_, again);
}

void control::progress(std::int64_t done, std::int64_t total, std::string_view note) {
  ask(link_, {control_question::progress, {}, false, job_progress{done, total, std::string(note)}});
}

std::optional<std::string> control::kept_step(std::string_view name) const {
  const control_message question{.what = control_question::step, .step = std::string(name)};
  return wire::from_json<std::optional<std::string>>(link_.ask(control_object, wire::to_json(question)));
}

void control::keep_step(std::string_view name, std::string json) const {
  const control_message kept{
      .what = control_question::keep_step, .step = std::string(name), .value = std::move(json)};
  if (shield([&] { return ask(link_, kept); })) return;
  throw error(errc::refused, "jobs: keep the step \"" + std::string(name) + "\" of job " + to_string(id_) +
                                 ": another worker holds the job by now");
}

void control::push_described(const detail::pushed_closure& what, const push_options& options) const {
  control_message wanted{.what = control_question::push};
  wanted.push.emplace();
  wanted.push->closure = what.identity;
  wanted.push->arguments = what.arguments;
  wanted.push->source = what.source;
  for (const auto& one : what.secrets)
    wanted.push->secrets.push_back({one.place, std::string(as_text(one.value.data()))});
  wanted.push->context = context::capture().to_wire(wire_policy::job);
  wanted.push->options = options;
  ask(link_, wanted);
}

std::optional<failure> control::last_error() const {
  const control_message question{.what = control_question::last_error};
  return wire::from_json<std::optional<failure>>(link_.ask(control_object, wire::to_json(question)));
}

bool control::cancelled() const noexcept { return weft::cancellation_requested().has_value(); }

bool control::still_mine() const { return ask(link_, {control_question::still_mine, {}, false}); }

void add_control(services& app) {
  if_new([&] { app.expect<run_link>(); });
  const auto make = [](run_link& link) { return std::make_unique<control>(link); };
  if_new([&] { app.add<control>(make, {.scope = service_scope::per_task}); });
}

}  // namespace weft::inline v1::jobs
