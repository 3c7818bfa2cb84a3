#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <weft/testing/fake_workers.hpp>
#include <weft/workers/stand_in.hpp>

namespace weft::inline v1::testing::detail {

/// What answers in the place of worker processes. See fake_workers.
class fake_pool final : public workers::stand_in {
 public:
  explicit fake_pool(const fake_workers::offer& setup);

  // stand_in
  void start() override;
  workers::detail::call_answer call(
      const workers::detail::call_request& request, steady_time until,
      const std::function<void(const workers::progress&)>& on_progress) override;
  std::unique_ptr<workers::detail::started_call> begin(
      const workers::detail::call_request& request, steady_time until,
      const std::function<void(const workers::progress&)>& on_progress) override;
  closure_outcome run(const closure_request& request) override;

  worker_script& script(std::string_view name, const std::function<worker_script(std::string)>& make);
  void add(const std::string& name, scripted_reply one);
  void repeat_last(const std::string& name);
  void fail_starts(std::size_t count);
  std::vector<fake_workers::seen_call> calls() const;
  services& app() noexcept { return app_; }

  /// A call as it was written down.
  struct written_call {
    std::string name;
    std::string target;
    bool is_closure = false;
    bytes arguments;
    steady_time until;
    scripted_reply reply;
  };
  /// What the call gives, or throws. `with` is its workers::caller.
  workers::detail::call_answer answer(const written_call& what, workers::caller& with);

 private:
  struct replies {
    std::deque<scripted_reply> next;
    bool last_repeats = false;
  };

  written_call write_down(const workers::detail::call_request& request, steady_time until);
  /// Notes the call, and gives what is said of it.
  scripted_reply take_reply(const std::string& name, std::string arguments);
  /// Throws what a reply other than `runs` and `answers` ends with.
  void play(const scripted_reply& reply, const std::string& name, steady_time until);
  bytes run_function(const written_call& what, workers::caller& with);

  services app_;
  workers::interfaces offered_;
  mutable std::mutex mutex_;
  std::map<std::string, replies, std::less<>> replies_;        // guarded by mutex_
  std::map<std::string, worker_script, std::less<>> scripts_;  // guarded by mutex_; never erased
  std::vector<fake_workers::seen_call> calls_;                 // guarded by mutex_
  std::size_t failing_starts_ = 0;                             // guarded by mutex_
};

/// The name of a function in the interface, or of a closure in its identity.
std::string_view name_of_target(std::string_view target) noexcept;

}  // namespace weft::inline v1::testing::detail
