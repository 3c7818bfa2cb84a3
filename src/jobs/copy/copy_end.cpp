#include "jobs/copy/copy_end.hpp"

namespace weft::inline v1::jobs {

std::string select_of(const copied_table& table, const char* from) {
  std::string sql = "SELECT ";
  for (const auto& column : table.columns) {
    if (&column != table.columns.data()) sql += ", ";
    sql += column.name;
  }
  return sql + " FROM " + (from != nullptr ? from : table.name);
}

const char* const counts_query =
    "SELECT q.name, s.state, count(*) FROM (SELECT queue, 0 AS state FROM weft_scheduled"
    " UNION ALL SELECT queue, 1 FROM weft_ready UNION ALL SELECT queue, 2 FROM weft_running"
    " UNION ALL SELECT queue, 3 FROM weft_done UNION ALL SELECT queue, state FROM weft_dead"
    " UNION ALL SELECT queue, 7 FROM weft_blocked) s JOIN weft_queue q ON q.id = s.queue"
    " GROUP BY q.name, s.state ORDER BY q.name, s.state";

const char* const forget_counts = "DELETE FROM weft_count";

const char* const make_counts =
    "INSERT INTO weft_count (queue, state, handler, jobs)"
    " SELECT queue, 0, handler, count(*) FROM weft_scheduled GROUP BY queue, handler"
    " UNION ALL SELECT queue, 1, handler, count(*) FROM weft_ready GROUP BY queue, handler"
    " UNION ALL SELECT queue, 7, handler, count(*) FROM weft_blocked GROUP BY queue, handler"
    " UNION ALL SELECT queue, 3, 0, count(*) FROM weft_done GROUP BY queue"
    " UNION ALL SELECT queue, state, 0, count(*) FROM weft_dead GROUP BY queue, state";

}  // namespace weft::inline v1::jobs
