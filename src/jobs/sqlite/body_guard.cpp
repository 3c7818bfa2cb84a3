#include "jobs/sqlite/body_guard.hpp"

#include <array>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "jobs/sqlite/database.hpp"
#include "jobs/sqlite/error.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr int instructions_between_looks = 1000;
constexpr std::array<std::string_view, 9> denied_settings{
    "journal_mode", "synchronous",    "wal_autocheckpoint", "wal_checkpoint",    "locking_mode",
    "mmap_size",    "schema_version", "writable_schema",    "journal_size_limit"};

bool is_own_table(const char* name) noexcept {
  return name != nullptr && sqlite3_strnicmp(name, "weft_", 5) == 0;
}

bool is_denied_setting(const char* name) noexcept {
  for (const auto setting : denied_settings) {
    if (name != nullptr && sqlite3_stricmp(name, setting.data()) == 0) return true;
  }
  return false;
}

bool allows(int action, const char* first, const char* second) noexcept {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return false;
    case SQLITE_SAVEPOINT:
      return !is_own_table(second);
    case SQLITE_PRAGMA:
      return !is_denied_setting(first);
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
      return !is_own_table(first);
    case SQLITE_ALTER_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TRIGGER:
      return !is_own_table(second);
    default:
      return true;
  }
}

/// What a body may do with the connection, for jobs::transaction.
class body_transaction final : public store_transaction {
 public:
  body_transaction(connection& on, database& statements, body_guard& guard)
      : connection_(on), statements_(statements), guard_(guard) {}

  job_id push(const new_job& job) override {
    guard_.require_not_ended();
    const body_guard::own_work own(guard_);
    connection_.execute("SAVEPOINT weft_push", "begin a push");
    try {
      const job_id id = statements_.push(job);
      // The body may go back to a savepoint of its own: then neither the counts nor a new name are there.
      statements_.store_request_counts();
      statements_.forget_request();
      connection_.execute("RELEASE weft_push", "end a push");
      return id;
    } catch (...) {  // the body may go on after it
      if (connection_.in_transaction()) {
        connection_.execute("ROLLBACK TO weft_push", "undo a push");
        connection_.execute("RELEASE weft_push", "end a push");
        statements_.forget_request();
      }
      throw;
    }
  }
  sqlite3* sqlite() override { return connection_.handle(); }
  sql_rows run(std::string_view sql, std::span<const sql_value> parameters) override {
    guard_.require_not_ended();
    statement query(connection_.handle(), sql, "run a statement of a transaction");
    for (const auto& value : parameters) query.bind_value(value);
    sql_rows rows;
    while (query.step()) {
      auto& row = rows.emplace_back();
      for (int column = 0; column < query.columns(); ++column) row.push_back(query.value(column));
    }
    return rows;
  }
  std::int64_t changes() override { return sqlite3_changes64(connection_.handle()); }

 private:
  connection& connection_;
  database& statements_;
  body_guard& guard_;
};

}  // namespace

body_guard::body_guard(connection& on) : connection_(on) {
  sqlite3_set_authorizer(on.handle(), &body_guard::authorize, this);
}

body_guard::~body_guard() { sqlite3_set_authorizer(connection_.handle(), nullptr, nullptr); }

int body_guard::authorize(void* self, int action, const char* first, const char* second, const char*,
                          const char*) {
  if (!static_cast<body_guard*>(self)->active_) return SQLITE_OK;
  return allows(action, first, second) ? SQLITE_OK : SQLITE_DENY;
}

int body_guard::progress(void* self) {
  return steady_clock::now() > static_cast<body_guard*>(self)->until_ ? 1 : 0;
}

void body_guard::notice_end(void* self) { static_cast<body_guard*>(self)->ended_ = true; }

// A body cannot commit, so this is a statement of its own, after the end of the transaction that it belonged
// to.
int body_guard::refuse_commit(void*) { return 1; }

void body_guard::require_not_ended() const {
  if (!ended_) return;
  throw error(
      errc::misuse,
      "jobs: transact: a statement of the body failed so that the whole transaction was undone (OR "
      "ROLLBACK, RAISE(ROLLBACK), a full disk, the time limit); the body must let that error through");
}

void body_guard::run(database& statements, const std::function<void(store_transaction&)>& body,
                     const transaction_options& options) {
  const no_wait_scope no_wait("the body of jobs::queue::transact");
  body_transaction transaction(connection_, statements, *this);
  until_ = steady_clock::now() + options.limit;
  sqlite3_progress_handler(connection_.handle(), instructions_between_looks, &body_guard::progress, this);
  sqlite3_rollback_hook(connection_.handle(), &body_guard::notice_end, this);
  sqlite3_commit_hook(connection_.handle(), &body_guard::refuse_commit, this);
  ended_ = false;
  active_ = true;
  const auto leave = [&]() noexcept {
    active_ = false;
    sqlite3_rollback_hook(connection_.handle(), nullptr, nullptr);
    sqlite3_commit_hook(connection_.handle(), nullptr, nullptr);
    sqlite3_progress_handler(connection_.handle(), 0, nullptr, nullptr);
    reset_left_statements();
    if (ended_) connection_.rollback();  // of a savepoint that was made later
  };
  try {
    body(transaction);
  } catch (...) {
    leave();
    throw;
  }
  leave();
  if (steady_clock::now() > until_) {
    throw error(errc::timed_out, "jobs: transact: the body took longer than its limit of " +
                                     std::to_string(options.limit.count()) +
                                     " ms and was undone; others wait for it, so do slow work before it");
  }
  require_not_ended();
}

void body_guard::reset_left_statements() {
  for (sqlite3_stmt* one = sqlite3_next_stmt(connection_.handle(), nullptr); one != nullptr;
       one = sqlite3_next_stmt(connection_.handle(), one)) {
    if (sqlite3_stmt_busy(one) != 0) sqlite3_reset(one);
  }
}

}  // namespace weft::inline v1::jobs::sqlite
