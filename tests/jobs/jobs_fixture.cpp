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

std::string jobs_fixture::envelope_change(job_id id, const std::string& bytes) {
  std::string hex;
  for (const char one : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(one) >> 4];
    hex += digits[static_cast<unsigned char>(one) & 15];
  }
  return "UPDATE weft_job SET envelope = x'" + hex + "' WHERE id = " + to_string(id) + ';';
}

}  // namespace weft::jobs
