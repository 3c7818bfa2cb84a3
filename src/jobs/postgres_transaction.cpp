#include <weft/jobs/postgres.hpp>

#include <weft/core/error.hpp>
#include <weft/jobs/queue.hpp>

#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/own_transaction.hpp"
#include "jobs/postgres/postgres_store.hpp"
#endif

namespace weft::inline v1::jobs {
namespace {

std::unique_ptr<store_transaction> pushes_on([[maybe_unused]] store& kept_in,
                                             [[maybe_unused]] ::pg_conn* connection,
                                             [[maybe_unused]] const postgres_push_options& how) {
#ifndef WEFT_WITHOUT_POSTGRES
  if (auto* const there = dynamic_cast<postgres::postgres_store*>(&kept_in)) {
    return std::make_unique<postgres::own_transaction>(*there, connection, how.wake);
  }
#endif
  throw error(
      errc::unsupported,
      "jobs: push in a transaction of one's own: the queue's store is not in PostgreSQL; open it at a "
      "postgres:// URL, or use queue::transact");
}

}  // namespace

postgres_transaction::postgres_transaction(queue& of, ::pg_conn* connection, const postgres_push_options& how)
    : raw_(pushes_on(of.kept_in(), connection, how)), inside_(of, *raw_) {}

postgres_transaction::~postgres_transaction() = default;

}  // namespace weft::inline v1::jobs
