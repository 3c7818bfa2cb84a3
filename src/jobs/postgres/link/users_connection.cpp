#include "jobs/postgres/link/users_connection.hpp"

#include <optional>
#include <string>

#include <libpq-fe.h>

#include <weft/core/error.hpp>

#include "jobs/postgres/link/wire_parameters.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

[[noreturn]] void refuse(errc why, const std::string& what) {
  throw error(why, "jobs: push in a transaction of one's own: " + what);
}

}  // namespace

void users_connection::require_usable() const {
  if (link_ == nullptr) refuse(errc::invalid_argument, "there is no connection");
  if (!is_open()) throw_lost();
  if (PQpipelineStatus(link_) != PQ_PIPELINE_OFF) {
    refuse(errc::misuse, "its connection is in pipeline mode; leave that first");
  }
  switch (PQtransactionStatus(link_)) {
    case PQTRANS_IDLE:
    case PQTRANS_INTRANS:
      return;
    case PQTRANS_INERROR:
      refuse(errc::misuse, "that has failed, and nothing of it will be kept; roll it back and begin again");
    case PQTRANS_ACTIVE:
      refuse(errc::misuse, "a statement of its connection is under way; read its results first");
    case PQTRANS_UNKNOWN:
      break;
  }
  throw_lost();
}

bool users_connection::is_open() const noexcept { return PQstatus(link_) == CONNECTION_OK; }

bool users_connection::is_in_transaction() const noexcept {
  const auto state = PQtransactionStatus(link_);
  return state == PQTRANS_INTRANS || state == PQTRANS_INERROR;
}

void users_connection::throw_lost() const {
  throw database_error(
      "",
      "jobs: push in a transaction of one's own: its connection is lost: " + one_line(PQerrorMessage(link_)),
      true);
}

result users_connection::run(std::string_view sql) {
  const statement one{sql};
  return std::move(run_all({&one, 1}).front());
}

std::vector<result> users_connection::run_all(std::span<const statement> all) {
  if (PQenterPipelineMode(link_) == 0) throw_lost();
  send(all);
  return read();
}

void users_connection::send(std::span<const statement> all) {
  static const parameters none;
  for (const statement& one : all) {
    const wire_parameters with(one.with != nullptr ? *one.with : none);
    const std::string sql(one.sql);
    if (PQsendQueryParams(link_, sql.c_str(), with.count(), with.types(), with.values(), with.lengths(),
                          with.formats(), 1) == 0) {
      throw_lost();
    }
  }
  if (PQpipelineSync(link_) == 0) throw_lost();
}

std::vector<result> users_connection::read() {
  std::vector<result> results;
  std::optional<database_error> failed;
  bool has_all = false;
  while (!has_all && is_open()) {
    PGresult* const raw = PQgetResult(link_);
    if (raw == nullptr) continue;  // the end of one statement's
    result one(raw);
    switch (PQresultStatus(raw)) {
      case PGRES_PIPELINE_SYNC:
        has_all = true;
        break;
      case PGRES_PIPELINE_ABORTED:
        break;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        results.push_back(std::move(one));
        break;
      default:
        if (!failed) failed = error_of(raw, false);
    }
  }
  if (!has_all) throw_lost();
  PQexitPipelineMode(link_);
  if (failed) throw database_error(*failed);
  return results;
}

}  // namespace weft::inline v1::jobs::postgres
