#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

#include "jobs/postgres/link/address.hpp"
#include "jobs/postgres/link/database_error.hpp"
#include "jobs/postgres/link/parameters.hpp"
#include "jobs/postgres/link/result.hpp"
#include "jobs/postgres/link/statement_cache.hpp"

struct pg_conn;

namespace weft::inline v1::jobs::postgres {

/// In which form cells come: as result's functions by type want them, or for result::value().
enum class row_format : unsigned char { binary, text };

struct call_options {
  row_format rows = row_format::binary;
  bool prepare = true;  ///< keep the statement prepared: for those that come again
};

/// A statement of run_all. Views: what they refer to lives until run_all returns.
struct statement {
  std::string_view sql;
  const parameters* with = nullptr;  ///< null: none
  call_options how = {};
};

/// What another session sent by NOTIFY, on a channel that this one listens to.
struct notification {
  std::string channel;
  std::string payload;
  std::int64_t sender = 0;  ///< its server_pid
};

/// A session with a PostgreSQL server, on libpq without a blocked thread: a call sends, and its fiber is
/// parked until the answer is there.
///
/// Thread-safety: one task at a time, on the loop it was made on; a plain thread blocks. Every call is a
/// cancellation point until its answer is there: cancelled, or past its deadline, it asks the server to stop
/// the statement, waits for the answer to that for some seconds at most, and throws weft::cancelled. Where
/// the statement had ended before, its result is given. A session whose state is not known afterwards is
/// closed. Errors: database_error. One that was broken or closed stays closed: calls give `unavailable`.
class connection {
 public:
  /// Connects. Waits at most the address's connect_timeout; a cancellation point. Names are looked up, and
  /// files of certificates read, on threads of the pool behind blocking().
  static std::unique_ptr<connection> open(const address& to);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Runs one statement.
  result run(std::string_view sql, const parameters& with = {}, call_options how = {});
  /// Runs several in one round trip. They are one transaction, unless one is open, or they have statements
  /// that begin and end some. Where one fails, those behind it do not run, and its error is thrown.
  std::vector<result> run_all(std::span<const statement> all);
  /// Runs several statements in one text, which take no parameters. One transaction, as with run_all.
  void run_script(const std::string& sql);

  /// Does it take calls?
  bool is_open() const noexcept { return link_ != nullptr; }
  /// Is a transaction open, also a failed one?
  bool is_in_transaction() const noexcept;
  /// Looks, without waiting, whether the server has ended it meanwhile. Of a session that nobody uses now.
  bool is_alive();
  /// Is there a pooler between this and the server, as far as can be told? Sessions may change under the
  /// client then: nothing stays prepared, and LISTEN hears nothing.
  bool is_pooled() const noexcept { return pooled_; }
  /// The server's process; 0 through a pooler, where that changes.
  std::int64_t server_pid() const noexcept { return server_pid_; }
  /// Ends the session. Does not wait. Calling it again has no effect.
  void close() noexcept;

  /// What has come so far. Does not wait.
  std::vector<notification> take_notifications();
  /// Waits until something has come, or the session is over (then it throws), at most until `until`.
  std::vector<notification> wait_notifications(steady_time until);

 private:
  struct answers;
  class turn;
  connection(std::shared_ptr<pg_conn> link, std::string shown);

  void begin();
  void send(std::span<const statement> all, answers& to);
  void send_one(const statement& one, answers& to);
  void flush();
  void read(answers& into);
  void take_result(pg_result* owned, answers& into);
  void wait_input(steady_time until);
  bool has_input();
  std::vector<result> run_pipeline(std::span<const statement> all);
  void complete(answers& into);
  void stop_statement(answers& into);
  void settle(answers& into);
  void forget_failed(const database_error& failed, const answers& of);
  [[noreturn]] void throw_lost(bool in_doubt);
  void require_open() const;

  std::shared_ptr<pg_conn> link_;  // shared with the thread that sends a cancel request; null: closed
  const std::string shown_;
  // A descriptor of our own for libpq's socket: libpq closes its own when it sees that the connection is
  // lost, and the number may be another thread's socket by the time that the handle ends.
  unique_fd descriptor_;
  io_handle socket_;
  statement_cache statements_;
  bool pooled_ = false;
  bool busy_ = false;
  std::int64_t server_pid_ = 0;
};

}  // namespace weft::inline v1::jobs::postgres
