#include <string>

#include <weft/core/error.hpp>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Unique keys. Each job that was pushed with one has a row in weft_unique, and the partial index lets
// one row hold the key. How a row holds it: 1 by the job, 2 for the rest of its period, 3 the same when its
// job was deleted, 0 not any more.

namespace weft::inline v1::jobs::sqlite {
std::optional<job_id> database::take_key(job_id id, const unique_key& key, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  std::optional<std::int64_t> over;
  {
    const used row = use("SELECT job, held, at_least FROM weft_unique WHERE key = ? AND held > 0",
                         "look who has a unique key");
    if (row->bind_blob(key.key).step()) {
      if (row->integer(1) == 1 || row->integer(2) > micros(now)) return job_id{row->integer(0)};
      over = row->integer(0);
    }
  }
  if (over) give_key_up(*over);
  use("INSERT INTO weft_unique (job, key, until, at_least, held) VALUES (?,?,?,?,1)", "take a unique key")
      ->bind(number)
      .bind_blob(key.key)
      .bind(static_cast<std::int64_t>(key.until))
      .bind(micros(key.at_least))
      .run();
  return std::nullopt;
}

void database::give_key_up(std::int64_t id) {
  use("DELETE FROM weft_unique WHERE job = ? AND held = 3", "forget a unique key")->bind(id).run();
  use("UPDATE weft_unique SET held = 0 WHERE job = ?", "free a unique key")->bind(id).run();
}

void database::release_key(const place& job, job_state to, moment now) {
  use("UPDATE weft_unique SET held = CASE WHEN at_least > ?1 THEN 2 ELSE 0 END"
      " WHERE job = ?2 AND held = 1 AND (until = ?3 OR ?4)",
      "free a unique key")
      ->bind(micros(now))
      .bind(job.id)
      .bind(static_cast<std::int64_t>(unique_until::claimed))
      .bind(std::int64_t{is_ended(to)})
      .run();
}

void database::take_key_again(std::int64_t id, moment now) {
  std::optional<std::int64_t> other;
  bool by_other_job = false;
  {
    const used row =
        use("SELECT o.job, o.held = 1 OR o.at_least > ?2 FROM weft_unique m JOIN weft_unique o"
            " ON o.key = m.key AND o.held > 0 AND o.job <> m.job WHERE m.job = ?1",
            "look who has the unique key of a job");
    if (row->bind(id).bind(micros(now)).step()) {
      other = row->integer(0);
      by_other_job = row->integer(1) != 0;
    }
  }
  if (by_other_job) {
    throw error(errc::already_exists, "jobs: retry job " + std::to_string(id) + ": job " +
                                          std::to_string(*other) + " has its unique key by now");
  }
  if (other) give_key_up(*other);
  use("UPDATE weft_unique SET held = 1 WHERE job = ?", "take a unique key again")->bind(id).run();
}

void database::forget_key_of(std::int64_t id, moment before) {
  use("DELETE FROM weft_unique WHERE job = ? AND (held = 0 OR at_least <= ?)", "forget a unique key")
      ->bind(id)
      .bind(micros(before))
      .run();
  use("UPDATE weft_unique SET held = 3 WHERE job = ?", "keep a unique key without its job")->bind(id).run();
}

void database::forget_keys(moment before, std::size_t limit) {
  use("DELETE FROM weft_unique WHERE job IN"
      " (SELECT job FROM weft_unique WHERE held = 3 AND at_least <= ? LIMIT ?)",
      "forget unique keys of deleted jobs")
      ->bind(micros(before))
      .bind(static_cast<std::int64_t>(limit))
      .run();
}

}  // namespace weft::inline v1::jobs::sqlite
