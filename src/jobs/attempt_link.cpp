#include "jobs/attempt_link.hpp"

#include <weft/wire/json.hpp>

#include "jobs/control_messages.hpp"

namespace weft::jobs {

std::string attempt_link::about(std::string_view object) {
  if (object != control_object) return {};
  return wire::to_json(control_about{claimed_.id, claimed_.attempts + 1, claimed_.backoffs});
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
  const std::lock_guard lock(mutex_);
  wanted_ = wish{asked.wait, asked.backs_off};
  return wire::to_json(true);
}

std::optional<wish> attempt_link::wanted() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

}  // namespace weft::jobs
