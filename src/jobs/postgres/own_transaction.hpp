#pragma once

#include "jobs/postgres/link/users_connection.hpp"
#include "jobs/postgres/postgres_store.hpp"

namespace weft::inline v1::jobs::postgres {

/// Pushes on a connection that the user has, in the transaction that is open there. It names queues and
/// closures, and not their numbers, so that it is right in whatever database the connection leads to.
class own_transaction final : public store_transaction {
 public:
  own_transaction(postgres_store& of, ::pg_conn* connection, bool wake);

  job_id push(const new_job& job) override;
  ::sqlite3* sqlite() override { return nullptr; }
  /// Not for own transactions: the user has his connection.
  sql_rows run(std::string_view sql, std::span<const sql_value> values) override;
  std::int64_t changes() override { return 0; }

 private:
  void make_known(const new_job& job);

  postgres_store& store_;
  users_connection link_;
  bool wake_;
};

}  // namespace weft::inline v1::jobs::postgres
