#include <weft/testing/fake_run.hpp>

#include <mutex>
#include <string_view>

#include <weft/closure/runner.hpp>
#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1::jobs {
namespace {

/// Answers the control from a fake_run, as a worker would, or a run in line. The function may ask from
/// several tasks at once.
class fake_link final : public run_link {
 public:
  explicit fake_link(fake_run& of) : run_(of) {}

  std::string about(std::string_view object) override {
    if (object != control_object) return {};
    return wire::to_json(
        control_about{run_.id, run_.attempt, run_.backoffs, run_.due, run_.in_line, run_.random});
  }

  std::string ask(std::string_view, std::string_view message) override {
    const auto asked = wire::from_json<control_message>(message);
    const std::lock_guard lock(mutex_);
    switch (asked.what) {
      case control_question::again:
        if (asked.age_max && run_.age + asked.wait > *asked.age_max) return wire::to_json(false);
        run_.asked_again = fake_run::another_time{asked.wait, asked.backs_off};
        break;
      case control_question::still_mine:
        return wire::to_json(run_.still_mine);
      case control_question::progress:
        if (asked.progress) run_.progress.push_back(*asked.progress);
        break;
      case control_question::step: {
        if (run_.in_line) return wire::to_json(std::optional<std::string>());
        const auto kept = run_.steps.find(asked.step);
        return wire::to_json(kept == run_.steps.end() ? std::nullopt : std::optional(kept->second));
      }
      case control_question::push:
        if (run_.pushed.size() >= pushes_max) {
          throw error(errc::resource_exhausted, "jobs: push when a job is done: no more than " +
                                                    std::to_string(pushes_max) + " are kept");
        }
        if (asked.push)
          run_.pushed.push_back({asked.push->closure, asked.push->arguments, asked.push->options});
        break;
      case control_question::last_error:
        return wire::to_json(run_.last_error);
      case control_question::keep_step:
        return wire::to_json(run_.in_line || keep_step(asked.step, asked.value));
    }
    return wire::to_json(true);
  }

 private:
  bool keep_step(const std::string& name, const std::string& json) {
    check_step(run_.id, name, json);
    if (!run_.still_mine) return false;
    if (run_.steps.size() >= steps_max && !run_.steps.contains(name)) throw_too_many_steps(run_.id);
    run_.steps[name] = json;
    return true;
  }

  fake_run& run_;
  std::mutex mutex_;  // guards what run_ has of this run
};

}  // namespace

void fake_run::run_with(services& from, const std::function<void(services&)>& body) {
  asked_again.reset();
  progress.clear();
  pushed.clear();
  fake_link link(*this);
  control self(link);
  services task(from, service_scope::per_task);
  task.provide(self);
  body(task);
}

}  // namespace weft::inline v1::jobs
