#include "jobs/postgres/workers.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "jobs/job_life.hpp"
#include "jobs/job_step.hpp"
#include "jobs/limit_turn.hpp"
#include "jobs/micros.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/numbered_call.hpp"
#include "jobs/token_bucket.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

parameters held_by(job_id id, worker_id owner, std::int64_t fence) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id)).bigint(static_cast<std::int64_t>(owner)).bigint(fence);
  return with;
}

worker_row read_worker(const result& rows, std::size_t row) {
  return {worker_id{rows.integer(row, 0)},
          std::string(rows.text(row, 1)),
          rows.integer(row, 2),
          rows.integer(row, 3),
          std::string(rows.text(row, 4)),
          rows.integer(row, 5)};
}

/// A claim has locked its worker until its answer is sent. Where that is large, and the worker's process was
/// stopped or its host is cut off, that takes as long as the server's TCP; so its session is ended. Whoever
/// wants to rescue the worker must not wait for it meanwhile, as his own heartbeats would.
///
/// Only sessions of the same role can be seen and ended. Returns how many were.
std::int64_t end_stuck_claims(caller& by) {
  return by.run_idempotent([](connection& on) {
    const result ended = on.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = current_user AND wait_event = 'ClientWrite' AND query LIKE '%weft.weft_claim%'"
        " AND query_start < clock_timestamp() - interval '5 seconds'");
    return ended.integer(0, 0);
  });
}

bool first_boolean(const result& rows) { return rows.boolean(0, 0); }

#define WEFT_SERVER_TIME "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

/// Runs a statement whose first cell is the server's time.
result run_with_time(connection& on, server_clock& time, std::string_view sql, const parameters& with = {}) {
  const auto asked = server_clock::since_start();
  result rows = on.run(sql, with);
  time.learn(asked, moment_at(rows.integer(0, 0)), server_clock::since_start());
  return rows;
}

}  // namespace

void add_worker(caller& by, const worker_row& worker) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(worker.id)).text(worker.host).bigint(worker.pid);
  with.bigint(worker.pid_started).text(worker.build).bigint(worker.beat);
  by.run_idempotent([&](connection& on) { on.run("SELECT weft.weft_add_worker($1,$2,$3,$4,$5,$6)", with); });
}

beaten beat(caller& by, worker_id owner, server_clock& time) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(owner));
  return by.run_idempotent([&](connection& on) {
    const result rows = run_with_time(on, time, "SELECT " WEFT_SERVER_TIME ", weft.weft_beat($1)", with);
    beaten answer;
    for (const std::int64_t id : rows.integers(0, 1)) answer.cancelled.push_back(job_id{id});
    answer.session = on.server_pid();
    return answer;
  });
}

std::size_t give_back_unknown(caller& by, worker_id owner, held_claims& held, moment now) {
  parameters whose;
  whose.bigint(static_cast<std::int64_t>(owner));
  const auto in_database = by.run_idempotent([&](connection& on) {
    std::vector<held_claims::claim> all;
    const auto rows = on.run("SELECT id, fence FROM weft.weft_running WHERE owner = $1", whose);
    for (std::size_t row = 0; row < rows.rows(); ++row)
      all.emplace_back(job_id{rows.integer(row, 0)}, rows.integer(row, 1));
    return all;
  });
  std::vector<attempt_end> released;
  for (const auto& [id, fence] : held.unknown(owner, in_database)) {
    attempt_end& end = released.emplace_back();
    end.id = id;
    end.owner = owner;
    end.fence = fence;
    end.next = next_step::released;
    end.now = now;
  }
  if (released.empty()) return 0;
  std::vector<const attempt_end*> ends;
  for (const attempt_end& one : released) ends.push_back(&one);
  doubtful_ends doubts;  // released again at a later look
  const auto given = finish_attempts(by, doubts, ends).held;
  return static_cast<std::size_t>(std::ranges::count(given, true));
}

void remove_worker(caller& by, worker_id owner, moment now) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(owner)).bigint(micros(now));
  by.run_idempotent([&](connection& on) { on.run("SELECT weft.weft_remove_worker($1,$2)", with); });
}

std::vector<worker_row> all_workers(caller& by) {
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "SELECT w.id, w.host, w.pid, w.pid_started, w.build, w.beat, coalesce(r.jobs, 0) FROM "
        "weft.weft_worker w"
        " LEFT JOIN (SELECT owner, count(*) AS jobs FROM weft.weft_running GROUP BY owner) r ON r.owner = "
        "w.id"
        " ORDER BY w.id");
    std::vector<worker_row> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      all.push_back(read_worker(rows, row));
      all.back().running = rows.integer(row, 6);
    }
    return all;
  });
}

worker_row lead(caller& by, worker_id self, const std::optional<worker_row>& silent) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(self));
  with.bigint(silent ? std::optional(static_cast<std::int64_t>(silent->id)) : std::nullopt);
  with.bigint(silent ? std::optional(silent->beat) : std::nullopt);
  return by.run_idempotent([&](connection& on) {
    return read_worker(
        on.run("SELECT id, host, pid, pid_started, build, beat FROM weft.weft_lead($1,$2,$3)", with), 0);
  });
}

// In doubt, it is asked again: where the first one did it, the worker is not there any more, and this says
// so.
std::optional<std::size_t> rescue(caller& by, const worker_row& seen, moment now, int crashes_max) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(seen.id)).bigint(seen.beat).bigint(micros(now)).bigint(crashes_max);
  const std::array all{statement{"SELECT set_config('lock_timeout', '500', true)"},
                       statement{"SELECT weft.weft_rescue($1,$2,$3,$4)", &with}};
  try {
    return by.run_idempotent([&](connection& on) -> std::optional<std::size_t> {
      const auto jobs = on.run_all(all)[1].maybe_integer(0, 0);
      return jobs ? std::optional(static_cast<std::size_t>(*jobs)) : std::nullopt;
    });
  } catch (const database_error& failed) {
    if (failed.state() != lock_not_available) throw;
  }
  const std::int64_t ended = end_stuck_claims(by);
  log::warn("jobs: PostgreSQL: a silent worker cannot be rescued for now: a session has it locked",
            {{"worker", to_string(seen.id)},
             {"host", seen.host},
             {"sessions_ended", ended},
             {"why", ended > 0 ? "the answer to a claim was stuck; it is tried again"
                               : "no claim of this role is stuck; those of other roles cannot be seen"}});
  return std::nullopt;
}

bool show_progress(caller& by, job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  parameters with = held_by(id, owner, fence);
  with.bigint(now_at.done).bigint(now_at.total).text(now_at.note);
  return by.run_idempotent([&](connection& on) {
    return on.run("SELECT weft.weft_progress($1,$2,$3,$4,$5,$6)", with).boolean(0, 0);
  });
}

bool holds(caller& by, job_id id, worker_id owner, std::int64_t fence) {
  const parameters with = held_by(id, owner, fence);
  return by.run_idempotent([&](connection& on) {
    return on
        .run("SELECT EXISTS (SELECT 1 FROM weft.weft_running WHERE id = $1 AND owner = $2 AND fence = $3)",
             with)
        .boolean(0, 0);
  });
}

std::optional<std::string> step(caller& by, job_id id, std::string_view name) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id)).text(name);
  return by.run_idempotent([&](connection& on) -> std::optional<std::string> {
    const auto rows = on.run("SELECT value FROM weft.weft_step WHERE job = $1 AND name = $2", with);
    return rows.rows() == 0 ? std::nullopt : std::optional(std::string(rows.bytes(0, 0)));
  });
}

std::vector<std::string> steps(caller& by, job_id id) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id));
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run("SELECT value FROM weft.weft_step WHERE job = $1 ORDER BY name", with);
    std::vector<std::string> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) all.emplace_back(rows.bytes(row, 0));
    return all;
  });
}

bool keep_step(caller& by, job_id id, worker_id owner, std::int64_t fence, std::string_view name,
               std::string_view value) {
  parameters with = held_by(id, owner, fence);
  with.text(name).bytes(value).bigint(static_cast<std::int64_t>(steps_max));
  const auto outcome = by.run_idempotent([&](connection& on) {
    return on.run("SELECT weft.weft_keep_step($1,$2,$3,$4,$5,$6)", with).integer(0, 0);
  });
  constexpr std::int64_t too_many = 2;
  if (outcome == too_many) throw_too_many_steps(id);
  return outcome != 0;
}

bool cancel(caller& by, job_id id, moment now) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id)).bigint(micros(now));
  const auto call = [id]() -> doubtful_call {
    return {"cancel job " + to_string(id), "look at the job; to cancel it again does no harm"};
  };
  return run_numbered(by, call, "SELECT was_there FROM weft.weft_cancel($1,$2)", with, first_boolean);
}

bool retry(caller& by, job_id id, moment now) {
  enum class outcome : std::int64_t { none, retried, expired, key_taken };
  parameters with;
  with.bigint(static_cast<std::int64_t>(id)).bigint(micros(now));
  const auto call = [id]() -> doubtful_call {
    return {"retry job " + to_string(id), "look at the job; one that is ready or runs was made so by this"};
  };
  const auto [what, other] = run_numbered(
      by, call, "SELECT outcome, other FROM weft.weft_retry($1,$2)", with, [](const result& rows) {
        return std::pair(static_cast<outcome>(rows.integer(0, 0)), rows.maybe_integer(0, 1));
      });
  if (what == outcome::expired) throw_retried_too_late(id);
  if (what == outcome::key_taken) {
    throw error(errc::already_exists, "jobs: retry job " + to_string(id) + ": job " +
                                          std::to_string(other.value_or(0)) + " has its unique key by now");
  }
  return what == outcome::retried;
}

std::size_t retry_all(caller& by, std::string_view queue, job_state state, moment now, std::size_t limit) {
  constexpr std::int64_t looked_at_once = 500;
  if (!can(state, job_event::retried)) return 0;
  std::size_t retried = 0;
  std::int64_t after = 0;
  for (bool is_last = false; !is_last && retried < limit;) {
    parameters with;
    with.text(queue).bigint(static_cast<std::int64_t>(state)).bigint(micros(now));
    with.bigint(static_cast<std::int64_t>(std::min<std::size_t>(limit - retried, INT32_MAX))).bigint(after);
    by.run_idempotent([&](connection& on) {
      const auto rows =
          on.run("SELECT retried, last, looked_at FROM weft.weft_retry_some($1,$2,$3,$4,$5)", with);
      retried += static_cast<std::size_t>(rows.integer(0, 0));
      after = rows.integer(0, 1);
      is_last = rows.integer(0, 2) < looked_at_once;
    });
  }
  return retried;
}

std::size_t purge(caller& by, const purge_bounds& before, moment now, std::size_t limit) {
  parameters with;
  with.bigint(micros(before.done)).bigint(micros(before.given_up)).bigint(micros(now));
  with.bigint(static_cast<std::int64_t>(std::min<std::size_t>(limit, INT32_MAX)));
  return by.run_idempotent([&](connection& on) {
    return static_cast<std::size_t>(
        on.run("SELECT purged FROM weft.weft_purge($1,$2,$3,$4)", with).integer(0, 0));
  });
}

bool remove(caller& by, job_id id, std::optional<job_state> seen, moment now) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id));
  with.bigint(seen ? std::optional(static_cast<std::int64_t>(*seen)) : std::nullopt).bigint(micros(now));
  const auto call = [id]() -> doubtful_call {
    return {"remove job " + to_string(id), "look whether the job is there, and remove it again if it is"};
  };
  return run_numbered(by, call, "SELECT removed FROM weft.weft_remove($1,$2,$3)", with, first_boolean);
}

std::vector<stored_limit> limits(caller& by, std::string_view after, std::size_t count) {
  parameters with;
  with.text(after).bigint(static_cast<std::int64_t>(count)).bigint(limit_waits_counted_max);
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "SELECT name, max, token_ns, burst, running, pinned, (SELECT count(*) FROM (SELECT 1 FROM"
        " weft.weft_blocked b WHERE b.limit_id = l.id AND b.pending = 0 LIMIT $3) few)"
        " FROM weft.weft_limit l WHERE name > $1 ORDER BY name LIMIT $2",
        with);
    std::vector<stored_limit> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const token_bucket tokens(rows.integer(row, 2), rows.integer(row, 3), 0);
      all.push_back(
          {.is = {std::string(rows.text(row, 0)), static_cast<int>(rows.integer(row, 1)), tokens.rate()},
           .pinned = rows.boolean(row, 5),
           .running = rows.integer(row, 4),
           .held_back = rows.integer(row, 6)});
    }
    return all;
  });
}

void set_limit(caller& by, const limit_options& limit, bool pinned, moment now) {
  token_bucket tokens;
  tokens.set_rate(limit.rate, now);
  parameters with;
  with.text(limit.key).bigint(turn_of_limit(limit.key)).bigint(limit.max);
  with.bigint(tokens.token_ns()).bigint(tokens.burst()).boolean(pinned).bigint(micros(now));
  by.run_idempotent(
      [&](connection& on) { on.run("SELECT weft.weft_set_limit($1,$2,$3,$4,$5,$6,$7)", with); });
}

bool release_limit(caller& by, std::string_view key) {
  parameters with;
  with.text(key);
  const auto call = [key]() -> doubtful_call {
    return {"release the limit " + std::string(key), "look at the limit; to release it again does no harm"};
  };
  return run_numbered(by, call, "SELECT weft.weft_release_limit($1)", with, first_boolean);
}

void set_paused(caller& by, std::string_view queue, bool paused) {
  parameters with;
  with.text(queue).boolean(paused);
  by.run_idempotent([&](connection& on) { on.run("SELECT weft.weft_set_paused($1,$2)", with); });
}

void ask_for_time(caller& by, server_clock& time) {
  by.run_idempotent([&](connection& on) { run_with_time(on, time, "SELECT " WEFT_SERVER_TIME); });
}

void sum_counts(caller& by) {
  by.run_idempotent([](connection& on) { on.run("SELECT weft.weft_sum_counts()"); });
}

#undef WEFT_SERVER_TIME

}  // namespace weft::inline v1::jobs::postgres
