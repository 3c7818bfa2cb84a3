#include "jobs/postgres/names.hpp"

#include <algorithm>
#include <vector>

namespace weft::inline v1::jobs::postgres {

void names::know(caller& by, std::span<const new_job* const> jobs) {
  std::vector<pair> unknown;
  for (const new_job* const job : jobs) {
    if (const pair of{job->queue, job->handler}; !lines_.contains(of)) unknown.push_back(of);
  }
  if (unknown.empty()) return;
  std::ranges::sort(unknown);
  const auto doubles = std::ranges::unique(unknown);
  unknown.erase(doubles.begin(), doubles.end());
  parameters with;
  with.texts(unknown, &pair::first).texts(unknown, &pair::second);
  const auto rows = by.run_idempotent([&](connection& on) {
    return on.run("SELECT queue_id, handler_id FROM weft.weft_names($1, $2)", with);
  });
  const auto queues = rows.integers(0, 0);
  const auto handlers = rows.integers(0, 1);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    lines_.insert_or_assign(std::pair(std::string(unknown[i].first), std::string(unknown[i].second)),
                            line{queues.at(i), handlers.at(i)});
    learn(handlers.at(i), unknown[i].second);
  }
}

names::line names::line_of(const new_job& job) const {
  return lines_.find(pair{job.queue, job.handler})->second;
}

void names::learn(std::int64_t handler, std::string_view identity) {
  identities_.try_emplace(handler, identity);
}

const std::string& names::identity_of(std::int64_t handler) const { return identities_.at(handler); }

}  // namespace weft::inline v1::jobs::postgres
