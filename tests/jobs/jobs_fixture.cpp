#include "jobs/jobs_fixture.hpp"

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/writer_lock.hpp"

namespace weft::jobs {

void jobs_fixture::tamper(const std::string& sql) {
  sqlite::writer_lock lock(folder_ + "/jobs.db");
  const sqlite::writer_lock::guard held(lock, std::chrono::seconds(10));
  sqlite::connection database(folder_ + "/jobs.db");
  database.begin(true, std::chrono::seconds(10));
  database.execute(sql.c_str(), "tamper");
  database.commit();
}

}  // namespace weft::jobs
