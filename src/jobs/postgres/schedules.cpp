#include "jobs/postgres/schedules.hpp"

#include <array>
#include <string>

#include "jobs/due_schedules.hpp"
#include "jobs/micros.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/numbered_call.hpp"
#include "jobs/postgres/pushes.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

// Also those whose queue somebody has made none: they are shown as broken.
#define WEFT_SCHEDULES                                                                        \
  "SELECT s.name, coalesce(q.name, ''), s.timing, s.envelope, s.last, s.next, s.paused FROM " \
  "weft.weft_schedule s LEFT JOIN weft.weft_queue q ON q.id = s.queue"

std::vector<stored_schedule> read_schedules(const result& rows) {
  std::vector<stored_schedule> all;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    all.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)),
                   std::string(rows.text(row, 2)), std::string(rows.bytes(row, 3)),
                   moment_at(rows.integer(row, 4)), moment_at(rows.integer(row, 5)), rows.boolean(row, 6)});
  }
  return all;
}

bool change(caller& by, std::string_view verb, std::string_view name, std::string_view sql,
            const parameters& with) {
  const auto call = [&]() -> doubtful_call {
    return {std::string(verb) + " the schedule " + std::string(name),
            "look at the schedule; to do it again does no harm"};
  };
  return run_numbered(by, call, sql, with, [](const result& rows) { return rows.boolean(0, 0); });
}

/// Has it moved on to where the fire wanted it?
bool has_fired(caller& by, const schedule_fire& fire) {
  parameters with;
  with.text(fire.name).bytes(fire.envelope).bigint(micros(fire.last)).bigint(micros(fire.next));
  return by.run_idempotent([&](connection& on) {
    return on
        .run(
            "SELECT EXISTS (SELECT 1 FROM weft.weft_schedule WHERE name = $1 AND envelope = $2 AND last = $3"
            " AND next = $4)",
            with)
        .boolean(0, 0);
  });
}

}  // namespace

void put_schedule(caller& by, const stored_schedule& schedule) {
  parameters with;
  with.text(schedule.name).text(schedule.queue).text(schedule.timing).bytes(schedule.envelope);
  with.bigint(micros(schedule.last)).bigint(micros(schedule.next));
  with.bigint(micros(schedule.last + clock_put_back_min));
  by.run_idempotent(
      [&](connection& on) { on.run("SELECT weft.weft_put_schedule($1,$2,$3,$4,$5,$6,$7)", with); });
}

bool remove_schedule(caller& by, std::string_view name) {
  parameters with;
  with.text(name);
  return change(by, "remove", name, "SELECT weft.weft_remove_schedule($1)", with);
}

bool pause_schedule(caller& by, std::string_view name) {
  parameters with;
  with.text(name);
  return change(by, "pause", name, "SELECT weft.weft_pause_schedule($1)", with);
}

bool resume_schedule(caller& by, std::string_view name, moment last, moment next) {
  parameters with;
  with.text(name).bigint(micros(last)).bigint(micros(next));
  return change(by, "resume", name, "SELECT weft.weft_resume_schedule($1,$2,$3)", with);
}

std::vector<stored_schedule> all_schedules(caller& by) {
  return by.run_idempotent(
      [&](connection& on) { return read_schedules(on.run(WEFT_SCHEDULES " ORDER BY s.name")); });
}

std::vector<stored_schedule> schedules_of(caller& by, std::string_view queue) {
  parameters with;
  with.text(queue);
  return by.run_idempotent([&](connection& on) {
    return read_schedules(
        on.run(WEFT_SCHEDULES " WHERE q.name = $1 AND NOT s.paused ORDER BY s.next, s.name", with));
  });
}

bool fire_schedule(caller& by, names& known, const schedule_fire& fire) {
  std::vector<const new_job*> jobs;
  for (const auto& job : fire.jobs) jobs.push_back(&job);
  known.know(by, jobs);
  parameters moving;
  moving.text(fire.name).bytes(fire.envelope).bigint(micros(fire.seen));
  moving.bigint(micros(fire.last)).bigint(micros(fire.next));
  const parameters pushing = push_parameters(&known, jobs, true);
  const std::array both{statement{"SELECT weft.weft_fire($1,$2,$3,$4,$5)", &moving},
                        statement{push_statement, &pushing}};
  const auto call = [&]() -> doubtful_call {
    return {"fire the schedule " + fire.name, "a worker fires it when it is due, where that was not done"};
  };
  return by.run_until_known(call, [&](caller& own, bool in_doubt) {
    try {
      own.run([&](connection& on) { on.run_all(std::span(both).first(jobs.empty() ? 1 : 2)); });
      return true;
    } catch (const database_error& failed) {
      if (failed.state() != not_as_seen) throw;
      return in_doubt && has_fired(own, fire);
    }
  });
}

#undef WEFT_SCHEDULES

}  // namespace weft::inline v1::jobs::postgres
