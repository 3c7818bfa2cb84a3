#include <weft/jobs/transaction.hpp>

#include <weft/core/error.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/job_ids.hpp"

namespace weft::inline v1::jobs {

::sqlite3* transaction::sqlite() const {
  ::sqlite3* const handle = raw_.sqlite();
  if (handle != nullptr) return handle;
  throw error(errc::unsupported,
              "jobs: transact: this store has no SQLite connection; open one with sqlite:");
}

std::int64_t transaction::execute_values(std::string_view sql, const std::vector<sql_value>& values) {
  raw_.run(sql, values);
  return raw_.changes();
}

sql_rows transaction::query_values(std::string_view sql, const std::vector<sql_value>& values) {
  return raw_.run(sql, values);
}

job_id transaction::push_closure(const detail::pushed_closure& what, const push_options& options) {
  return with_fresh_ids([&] { return raw_.push(queue_.make_job(what, options)); });
}

}  // namespace weft::inline v1::jobs
