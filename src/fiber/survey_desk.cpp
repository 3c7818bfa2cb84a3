#include "fiber/survey_desk.hpp"

#include <utility>

#include "fiber/survey.hpp"

namespace weft::inline v1::detail {

void survey_desk::ask(survey& asker) {
  const std::lock_guard lock(mutex_);
  question_ = &asker;
}

bool survey_desk::answered(steady_time until) {
  std::unique_lock lock(mutex_);
  done_.wait_until(lock, until, [this] { return question_ == nullptr; });
  return std::exchange(question_, nullptr) == nullptr;
}

void survey_desk::answer(scheduler& here) {
  const std::lock_guard lock(mutex_);
  if (question_ == nullptr) return;
  question_->look(here);
  question_ = nullptr;
  done_.notify_one();
}

}  // namespace weft::inline v1::detail
