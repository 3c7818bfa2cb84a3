#include "jobs/postgres/ends.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "jobs/micros.hpp"
#include "jobs/postgres/pushes.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

using ends_view = std::span<const attempt_end* const>;

constexpr const char* finish_statement =
    "SELECT held, work FROM weft.weft_finish($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)";

std::optional<std::string_view> if_any(const std::string& bytes) {
  return bytes.empty() ? std::nullopt : std::optional<std::string_view>(bytes);
}

parameters finish_parameters(ends_view ends, bool all_or_none) {
  parameters with;
  using one = const attempt_end*;
  with.bigints(ends, [](one end) { return static_cast<std::int64_t>(end->id); });
  with.bigints(ends, [](one end) { return static_cast<std::int64_t>(end->owner); });
  with.bigints(ends, [](one end) { return end->fence; });
  with.bigints(ends, [](one end) { return static_cast<std::int64_t>(end->next); });
  with.bigints(ends, [](one end) { return micros(end->now); });
  with.bigints(ends, [](one end) { return micros(end->run_at); });
  with.bigints(ends, [](one end) { return std::int64_t{end->counts}; });
  with.bigints(ends, [](one end) { return std::int64_t{end->backs_off}; });
  with.bigints(ends, [](one end) { return std::int64_t{end->crashed}; });
  with.bigints(ends, [](one end) { return std::int64_t{end->record.attempt}; });
  with.bigints(ends, [](one end) { return static_cast<std::int64_t>(end->record.outcome); });
  with.bigints(ends, [](one end) { return micros(end->record.started); });
  with.bigints(ends, [](one end) { return micros(end->record.ended); });
  with.byte_arrays(ends, [](one end) { return if_any(end->record.error); });
  with.byte_arrays(ends, [](one end) { return if_any(end->record.records); });
  with.byte_arrays(ends, [](one end) -> std::optional<std::string_view> {
    return end->result ? std::optional<std::string_view>(*end->result) : std::nullopt;
  });
  with.boolean(std::ranges::any_of(ends, [](one end) { return end->durable || !end->pushes.empty(); }));
  with.boolean(all_or_none);
  return with;
}

ended read_ended(const result& from, std::size_t count) {
  ended all{std::vector<bool>(count), from.boolean(0, 1)};
  for (const std::int64_t place : from.integers(0, 0))
    all.held.at(static_cast<std::size_t>(place - 1)) = true;
  return all;
}

/// Is that attempt kept as an ended one? A released one leaves nothing.
bool has_ended(caller& by, const attempt_end& end) {
  if (end.next == next_step::released) return true;
  parameters with;
  with.bigint(static_cast<std::int64_t>(end.id))
      .bigint(end.fence)
      .bigint(static_cast<std::int64_t>(end.owner));
  with.bigint(static_cast<std::int64_t>(end.record.outcome));  // a rescue leaves an attempt, too
  return by.run_idempotent([&](connection& on) {
    return on
        .run(
            "SELECT EXISTS (SELECT 1 FROM weft.weft_attempt WHERE job = $1 AND fence = $2 AND owner = $3 AND"
            " outcome = $4) OR EXISTS (SELECT 1 FROM weft.weft_done WHERE id = $1 AND fence = $2 AND owner = "
            "$3)",
            with)
        .boolean(0, 0);
  });
}

/// After an answer that was lost: those that are not held any more may have been ended by it.
void settle(caller& by, ends_view ends, ended& all) {
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (!all.held[i]) all.held[i] = has_ended(by, *ends[i]);
  }
  all.work = true;
}

/// `once` as caller::run_until_known has it, which settles these ends, those of an earlier try, too.
template <typename Once>
ended end_until_known(caller& by, doubtful_ends& doubts, ends_view ends, Once once) {
  const auto call = [&]() -> doubtful_call {
    return {ends.size() == 1 ? "end the attempt of job " + to_string(ends[0]->id)
                             : "end the attempts of " + std::to_string(ends.size()) + " jobs",
            "a worker tries it again as long as it lives, and nothing is stored twice"};
  };
  try {
    ended all = by.run_until_known(call, once, doubts.has(ends));
    doubts.settled(ends);
    return all;
  } catch (const database_error& failed) {
    if (failed.is_in_doubt()) doubts.add(ends);
    throw;
  }
}

}  // namespace

bool doubtful_ends::has(view ends) const {
  return !ends_.empty() && std::ranges::any_of(ends, [&](const attempt_end* one) {
    return ends_.contains({one->id, one->fence});
  });
}

void doubtful_ends::add(view ends) {
  constexpr std::size_t kept_max =
      100'000;  // of workers that have not asked again: those of jobs long past go
  for (const attempt_end* const one : ends) ends_.emplace(one->id, one->fence);
  while (ends_.size() > kept_max) ends_.erase(ends_.begin());
}

void doubtful_ends::settled(view ends) {
  if (ends_.empty()) return;
  for (const attempt_end* const one : ends) ends_.erase({one->id, one->fence});
}

ended finish_on(connection& on, ends_view ends) {
  return read_ended(on.run(finish_statement, finish_parameters(ends, false)), ends.size());
}

ended finish_attempts(caller& by, doubtful_ends& doubts, ends_view ends) {
  const parameters with = finish_parameters(ends, false);
  return end_until_known(by, doubts, ends, [&](caller& own, bool in_doubt) {
    ended all =
        own.run([&](connection& on) { return read_ended(on.run(finish_statement, with), ends.size()); });
    if (in_doubt) settle(own, ends, all);
    return all;
  });
}

ended finish_and_push(caller& by, names& known, doubtful_ends& doubts, const attempt_end& end) {
  std::vector<const new_job*> jobs;
  for (const new_job& job : end.pushes) jobs.push_back(&job);
  known.know(by, jobs);
  const attempt_end* const only = &end;
  const parameters ending = finish_parameters({&only, 1}, true);
  const parameters pushing = push_parameters(&known, jobs, true);
  const std::array both{statement{finish_statement, &ending}, statement{push_statement, &pushing}};
  return end_until_known(by, doubts, {&only, 1}, [&](caller& own, bool in_doubt) -> ended {
    try {
      own.run([&](connection& on) { on.run_all(both); });
      return {{true}, true};
    } catch (const database_error& failed) {
      if (failed.state() != not_as_seen) throw;
      return {{in_doubt && has_ended(own, end)}, true};
    }
  });
}

}  // namespace weft::inline v1::jobs::postgres
