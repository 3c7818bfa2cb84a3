#include "jobs/copy/copied_tables.hpp"

namespace weft::inline v1::jobs {
namespace {

namespace columns {

using enum copied_type;

constexpr std::array queue_number{copied_column{"id", number}, copied_column{"name", text},
                                  copied_column{"paused", flag}};
constexpr std::array closure_number{copied_column{"id", number}, copied_column{"identity", text}};
constexpr std::array queue_name{copied_column{"name", text}, copied_column{"paused", flag}};
constexpr std::array closure_name{copied_column{"identity", text}};

constexpr std::array job{
    copied_column{"id", number},       copied_column{"created", number}, copied_column{"expires", number},
    copied_column{"limit_id", number}, copied_column{"queue", queue},    copied_column{"handler", closure},
    copied_column{"priority", number}, copied_column{"envelope", bytes},
};

/// Those of a job that has not ended, and what its state has besides.
template <typename... More>
constexpr auto living(More... more) {
  return std::array{
      copied_column{"id", number},       copied_column{"run_at", number},   copied_column{"fence", number},
      copied_column{"limit_id", number}, copied_column{"queue", queue},     copied_column{"handler", closure},
      copied_column{"priority", number}, copied_column{"attempts", number}, copied_column{"backoffs", number},
      copied_column{"crashes", number},  copied_column{"flags", job_flags}, more...};
}

constexpr auto waiting = living();
constexpr auto blocked = living(copied_column{"pending", number});
constexpr auto running =
    living(copied_column{"cancel", flag}, copied_column{"owner", number}, copied_column{"started", number},
           copied_column{"progress_done", number}, copied_column{"progress_total", number},
           copied_column{"progress_note", text});
constexpr std::array done{
    copied_column{"id", number},      copied_column{"finished", number}, copied_column{"fence", number},
    copied_column{"queue", queue},    copied_column{"attempts", number}, copied_column{"backoffs", number},
    copied_column{"crashes", number}, copied_column{"result", bytes},
};
constexpr std::array dead{
    copied_column{"id", number},       copied_column{"finished", number}, copied_column{"fence", number},
    copied_column{"queue", queue},     copied_column{"state", number},    copied_column{"attempts", number},
    copied_column{"backoffs", number}, copied_column{"crashes", number},  copied_column{"flags", job_flags},
};
constexpr std::array attempt{
    copied_column{"job", number},     copied_column{"fence", number}, copied_column{"owner", number},
    copied_column{"started", number}, copied_column{"ended", number}, copied_column{"attempt", number},
    copied_column{"outcome", number}, copied_column{"error", bytes},  copied_column{"records", bytes},
};
constexpr std::array unique{copied_column{"job", number}, copied_column{"at_least", number},
                            copied_column{"until", number}, copied_column{"held", number},
                            copied_column{"key", bytes}};
constexpr std::array tag{copied_column{"job", number}, copied_column{"state", number},
                         copied_column{"tag", text}};
constexpr std::array step{copied_column{"job", number}, copied_column{"name", text},
                          copied_column{"value", bytes}};
constexpr std::array expiry{copied_column{"job", number}, copied_column{"expires", number}};
constexpr std::array dependency{copied_column{"parent", number}, copied_column{"child", number},
                                copied_column{"even_if_given_up", flag}};
constexpr std::array limit{
    copied_column{"id", number},       copied_column{"max", number},   copied_column{"running", number},
    copied_column{"token_ns", number}, copied_column{"burst", number}, copied_column{"full_at", number},
    copied_column{"wake_at", number},  copied_column{"name", text},    copied_column{"pinned", flag},
};
constexpr std::array schedule{
    copied_column{"name", text},      copied_column{"last", number}, copied_column{"next", number},
    copied_column{"queue", queue},    copied_column{"paused", flag}, copied_column{"timing", text},
    copied_column{"envelope", bytes},
};
constexpr std::array worker{
    copied_column{"id", number},   copied_column{"pid", number}, copied_column{"pid_started", number},
    copied_column{"beat", number}, copied_column{"host", text},  copied_column{"build", text},
};

constexpr std::array turn{copied_column{"queue", queue}, copied_column{"turn", number}};

}  // namespace columns

constexpr std::array tables{
    // The limit that had the last turn in a queue.
    copied_table{.name = "weft_turn",
                 .columns = columns::turn,
                 .sqlite_from = "(SELECT id AS queue, turn FROM weft_queue WHERE turn <> -1)",
                 .sqlite_writes = {"UPDATE weft_queue SET turn = ?2 WHERE id = ?1"}},
    copied_table{"weft_limit", columns::limit},
    copied_table{"weft_job", columns::job},
    copied_table{"weft_ready", columns::waiting},
    copied_table{"weft_scheduled", columns::waiting},
    copied_table{"weft_blocked", columns::blocked},
    copied_table{"weft_running", columns::running},
    copied_table{
        .name = "weft_done",
        .columns = columns::done,
        .sqlite_from =
            "(SELECT d.*, r.value AS result FROM weft_done d LEFT JOIN weft_result r ON r.job = d.id)",
        .sqlite_writes = {"INSERT INTO weft_done (id, finished, fence, queue, attempts, backoffs, crashes)"
                          " SELECT ?1,?2,?3,?4,?5,?6,?7 FROM (SELECT ?8)",
                          "INSERT INTO weft_result (job, value) SELECT ?1, ?8 WHERE ?8 IS NOT NULL"}},
    copied_table{"weft_dead", columns::dead},
    // The last attempt of a job that is done is kept in its row there.
    copied_table{
        .name = "weft_attempt",
        .columns = columns::attempt,
        .postgres_from =
            "(SELECT job, fence, owner, started, ended, attempt, outcome, error, records FROM weft_attempt"
            " UNION ALL SELECT id, fence, owner, started, ended, attempt, outcome, error, records"
            " FROM weft_done WHERE attempt IS NOT NULL) a"},
    copied_table{"weft_unique", columns::unique},
    copied_table{"weft_tag", columns::tag},
    copied_table{"weft_step", columns::step},
    copied_table{"weft_expiry", columns::expiry},
    copied_table{"weft_dependency", columns::dependency},
    copied_table{"weft_schedule", columns::schedule},
    copied_table{"weft_worker", columns::worker},
};

}  // namespace

const copied_table queue_numbers{"weft_queue", columns::queue_number};
const copied_table closure_numbers{"weft_handler", columns::closure_number};
const copied_table queue_names{"weft_queue", columns::queue_name,
                               " ON CONFLICT (name) DO UPDATE SET paused = excluded.paused"};
const copied_table closure_names{"weft_handler", columns::closure_name, " ON CONFLICT (identity) DO NOTHING"};

std::span<const copied_table> copied_tables() noexcept { return tables; }

}  // namespace weft::inline v1::jobs
