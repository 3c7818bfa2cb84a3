#include "jobs/postgres/link/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include <libpq-fe.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/log/log.hpp>

#include "jobs/postgres/link/connecting.hpp"
#include "jobs/postgres/link/wire_parameters.hpp"

// A call, whether of one statement or of many, is a pipeline of libpq: all is sent with one sync behind it,
// and the answers are read up to that of the sync. A statement that is new to the connection is prepared in
// the same round trip. `answers` has what came so far, so that a call that is cut short can be read to its
// end by who asked the server to stop it.

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr const char* call_wait = "jobs: wait for PostgreSQL";
constexpr std::chrono::seconds stop_bound{5};  // for a statement to end that is to stop
constexpr std::chrono::milliseconds first_patience{50};

std::once_flag pooler_told;

void tell_of_pooler(const std::string& shown) {
  std::call_once(pooler_told, [&] {
    log::info("jobs: there is a connection pooler before PostgreSQL: statements are not kept prepared",
              {{"server", shown}});
  });
}

bool means_lost_statement(std::string_view state) { return state == "26000" || state == "42P05"; }

void send_cancel(PGconn* link, steady_time until) {
  const std::shared_ptr<PGcancel> cancel(PQgetCancel(link), &PQfreeCancel);
  if (cancel == nullptr) return;
  blocking_until(until, [cancel] {
    std::string complaint(256, '\0');
    PQcancel(cancel.get(), complaint.data(), static_cast<int>(complaint.size()));
  });
}

}  // namespace

/// What is to come back for what was sent, and what has come.
struct connection::answers {
  struct expected {
    std::string prepares = {};  ///< name of the statement; empty: this runs one
    bool was_prepared = false;
  };
  std::vector<expected> commands;  // none: a script
  std::size_t next = 0;            // in commands
  std::vector<result> results;
  std::optional<database_error> failed;
  std::size_t failed_at = 0;  // in commands
  bool complete = false;

  bool is_script() const noexcept { return commands.empty(); }
};

/// One call. Where not all answers were read, nobody knows what the server will send next.
class connection::turn {
 public:
  turn(connection& of, const answers& read) : of_(of), read_(read) {
    of_.require_open();
    if (of_.busy_) throw error(errc::misuse, "jobs: PostgreSQL: two tasks use one connection at once");
    of_.busy_ = true;
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    of_.busy_ = false;
    if (!of_.is_open()) return;
    if (!read_.complete || (!read_.is_script() && PQexitPipelineMode(of_.link_.get()) == 0)) of_.close();
  }

 private:
  connection& of_;
  const answers& read_;
};

std::unique_ptr<connection> connection::open(const address& to) {
  std::unique_ptr<connection> made(new connection(connect(to), to.shown()));
  made->begin();
  return made;
}

connection::connection(std::shared_ptr<pg_conn> link, std::string shown)
    : link_(std::move(link)),
      shown_(std::move(shown)),
      descriptor_(::fcntl(PQsocket(link_.get()), F_DUPFD_CLOEXEC, 0)) {
  if (!descriptor_) throw system_error("jobs: connect to PostgreSQL (" + shown_ + "): a descriptor", errno);
  socket_ = io_handle(descriptor_.get());
}

connection::~connection() { close(); }

void connection::close() noexcept {
  socket_.close();
  link_.reset();
  descriptor_.reset();
}

// A pooler answers with a number of its own for the session's process.
void connection::begin() {
  const int told = PQbackendPID(link_.get());
  server_pid_ = run("SELECT pg_backend_pid()::bigint", {}, {.prepare = false}).integer(0, 0);
  pooled_ = server_pid_ != told;
  if (!pooled_) return;
  server_pid_ = 0;
  statements_.turn_off();
  tell_of_pooler(shown_);
}

void connection::require_open() const {
  if (!is_open()) {
    throw database_error("", "jobs: PostgreSQL (" + shown_ + "): this connection is closed");
  }
}

bool connection::is_in_transaction() const noexcept {
  const auto state = PQtransactionStatus(link_.get());
  return state == PQTRANS_INTRANS || state == PQTRANS_INERROR || state == PQTRANS_ACTIVE;
}

void connection::throw_lost(bool in_doubt) {
  std::string message =
      "jobs: PostgreSQL (" + shown_ + "): the connection is lost: " + one_line(PQerrorMessage(link_.get()));
  close();
  throw database_error("", std::move(message), in_doubt);
}

result connection::run(std::string_view sql, const parameters& with, call_options how) {
  const statement one{sql, &with, how};
  return std::move(run_all({&one, 1}).front());
}

std::vector<result> connection::run_all(std::span<const statement> all) {
  if (all.empty()) return {};
  const bool was_off = statements_.is_off();
  const bool was_in_transaction = is_open() && is_in_transaction();
  try {
    return run_pipeline(all);
  } catch (const database_error& failed) {
    // It was refused before it began, and it was all there was to do.
    const bool again =
        !was_off && statements_.is_off() && all.size() == 1 && !was_in_transaction && is_open();
    if (!again) throw;
  }
  return run_pipeline(all);
}

std::vector<result> connection::run_pipeline(std::span<const statement> all) {
  weft::detail::require_wait_allowed(call_wait);
  weft::detail::check_cancelled(call_wait);
  answers got;
  const turn here(*this, got);
  got.commands.reserve(2 * all.size());
  send(all, got);
  complete(got);
  settle(got);
  return std::move(got.results);
}

void connection::run_script(const std::string& sql) {
  weft::detail::require_wait_allowed(call_wait);
  weft::detail::check_cancelled(call_wait);
  answers got;
  const turn here(*this, got);
  if (PQsendQuery(link_.get(), sql.c_str()) == 0) throw_lost(false);
  complete(got);
  settle(got);
}

void connection::send(std::span<const statement> all, answers& to) {
  PQenterPipelineMode(link_.get());
  for (const statement& one : all) send_one(one, to);
  if (PQpipelineSync(link_.get()) == 0) throw_lost(true);
}

void connection::send_one(const statement& one, answers& to) {
  static const parameters none;
  const parameters& with = one.with != nullptr ? *one.with : none;
  const wire_parameters wire(with);
  const int format = one.how.rows == row_format::binary ? 1 : 0;
  const std::string sql(one.sql);
  PGconn* const link = link_.get();

  std::string name;
  if (one.how.prepare && !statements_.is_off()) name = statement_cache::name_of(sql, with);
  bool known = !name.empty() && statements_.has(name);
  for (const auto& earlier : to.commands) known = known || (!name.empty() && earlier.prepares == name);
  bool sent = true;
  if (!name.empty() && !known) {
    if (statements_.has_room()) {
      sent = PQsendPrepare(link, name.c_str(), sql.c_str(), wire.count(), wire.types()) != 0;
      to.commands.push_back({.prepares = name});
    } else {
      name.clear();
    }
  }
  if (name.empty()) {
    sent = sent && PQsendQueryParams(link, sql.c_str(), wire.count(), wire.types(), wire.values(),
                                     wire.lengths(), wire.formats(), format) != 0;
  } else {
    sent = sent && PQsendQueryPrepared(link, name.c_str(), wire.count(), wire.values(), wire.lengths(),
                                       wire.formats(), format) != 0;
  }
  to.commands.push_back({.was_prepared = known});
  if (sent) return;
  if (PQstatus(link) == CONNECTION_BAD) throw_lost(to.commands.size() > 1);
  throw error(errc::invalid_argument,
              "jobs: PostgreSQL: a statement cannot be sent: " + one_line(PQerrorMessage(link)));
}

/// Sends and reads all, or what is left of it. Cut short, it has the server stop first.
void connection::complete(answers& into) {
  try {
    flush();
    read(into);
    return;
  } catch (const cancelled&) {
    shield([&] { stop_statement(into); });
    if (!into.complete || into.failed) throw;
  }
}

void connection::stop_statement(answers& into) {
  const steady_time until = deadline_after(stop_bound);
  try {
    bool stops = false;
    for (auto patience = first_patience; !stops && steady_clock::now() < until; patience *= 2) {
      // Again where no answer comes: a request that arrives before the statement begins has no effect.
      send_cancel(link_.get(), until);
      stops = !move_on_at(std::min(until, deadline_after(patience)), [&] {
        flush();
        read(into);
      });
    }
    // Through a pooler, the last request may arrive when the session has another client's statement.
    if (!stops || (pooled_ && into.failed)) close();
  } catch (const error&) {
    close();
  }
}

void connection::flush() {
  for (;;) {
    const int left = PQflush(link_.get());
    if (left == 0) return;
    if (left < 0) throw_lost(true);
    const io_events ready = wait_event(descriptor_.get(), io_events::readable | io_events::writable);
    if (has(ready, io_events::readable) && PQconsumeInput(link_.get()) == 0) throw_lost(true);
  }
}

bool connection::has_input() {
  char next = 0;
  const ssize_t count = ::recv(descriptor_.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);  // an end or an error is for libpq to find
}

/// Reads what has come, or waits for something.
void connection::wait_input(steady_time until) {
  if (!has_input()) {
    socket_.mark_not_readable();
    if (!socket_.wait_readable_until(until)) return;
  }
  if (PQconsumeInput(link_.get()) == 0) throw_lost(true);
}

void connection::read(answers& into) {
  bool was_null = false;
  while (!into.complete) {
    while (PQisBusy(link_.get()) != 0) wait_input(no_deadline);
    PGresult* const one = PQgetResult(link_.get());
    if (one != nullptr) {
      was_null = false;
      take_result(one, into);
    } else if (into.is_script()) {
      into.complete = true;
    } else {
      if (was_null || PQstatus(link_.get()) == CONNECTION_BAD) throw_lost(true);
      was_null = true;
      ++into.next;
    }
  }
}

void connection::take_result(pg_result* owned, answers& into) {
  result one(owned);
  const bool prepares = into.next < into.commands.size() && !into.commands[into.next].prepares.empty();
  switch (PQresultStatus(owned)) {
    case PGRES_PIPELINE_SYNC:
      into.complete = true;
      return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (prepares) {
        statements_.add(into.commands[into.next].prepares);
      } else if (!into.is_script()) {
        into.results.push_back(std::move(one));
      }
      return;
    case PGRES_PIPELINE_ABORTED:
      return;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      close();
      throw error(errc::unsupported, "jobs: PostgreSQL: COPY cannot be used here; the connection is closed");
    default:
      break;
  }
  const char* const state = PQresultErrorField(owned, PG_DIAG_SQLSTATE);
  if (state == nullptr && PQstatus(link_.get()) == CONNECTION_BAD) throw_lost(true);
  database_error failed = error_of(owned, is_connection_state(state != nullptr ? state : ""));
  if (failed.is_connection()) {  // it hangs up
    close();
    throw failed;
  }
  if (into.failed) return;
  into.failed = std::move(failed);
  into.failed_at = into.next;
}

/// Throws what failed.
void connection::settle(answers& into) {
  if (!into.failed) return;
  forget_failed(*into.failed, into);
  throw *std::move(into.failed);
}

void connection::forget_failed(const database_error& failed, const answers& of) {
  const bool was_prepared = of.failed_at < of.commands.size() && of.commands[of.failed_at].was_prepared;
  if (means_lost_statement(failed.state())) {
    statements_.turn_off();
    tell_of_pooler(shown_);
  } else if (was_prepared && failed.state() == "0A000") {
    statements_.turn_off();  // it gives other columns than it did when it was prepared
  }
}

bool connection::is_alive() {
  while (is_open() && has_input()) {
    if (PQconsumeInput(link_.get()) == 0 || PQstatus(link_.get()) == CONNECTION_BAD) close();
  }
  return is_open();
}

std::vector<notification> connection::take_notifications() {
  require_open();
  if (has_input() && PQconsumeInput(link_.get()) == 0) throw_lost(false);
  std::vector<notification> all;
  while (PGnotify* const one = PQnotifies(link_.get())) {
    all.push_back({one->relname, one->extra, one->be_pid});
    PQfreemem(one);
  }
  return all;
}

std::vector<notification> connection::wait_notifications(steady_time until) {
  for (;;) {
    auto all = take_notifications();
    if (!all.empty() || steady_clock::now() >= until) return all;
    wait_input(until);
  }
}

}  // namespace weft::inline v1::jobs::postgres
