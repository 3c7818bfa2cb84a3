#pragma once

#include <memory>
#include <string>

#include <weft/jobs/store.hpp>

namespace weft::jobs {

/// Where the queue of a test is kept: in SQLite, or, with WEFT_TEST_STORE=postgres in the environment, in
/// PostgreSQL, as programs use it there: with the rights of a worker and no more.
class test_database {
 public:
  /// Of a test, empty, and gone with the object.
  static std::unique_ptr<test_database> make();
  static bool is_postgres();

  virtual ~test_database() = default;
  /// For open_store.
  virtual std::string url() = 0;
  /// Of a second database.
  virtual std::string other_url() = 0;
  /// Empties it; nobody has it open.
  virtual void clear() = 0;
  /// Runs statements on weft's tables, as somebody else with access to them could.
  virtual void run(const std::string& sql) = 0;
  /// These bytes in a statement.
  virtual std::string literal(const std::string& bytes) const = 0;
  /// Whatever is kept there, as bytes in which what was put in clear is found.
  virtual std::string all_bytes() = 0;
};

#ifdef WEFT_POSTGRES_PROGRAMS  // the tests have a server
std::unique_ptr<test_database> make_postgres_test_database();
#endif

std::string hex_of(const std::string& bytes);

}  // namespace weft::jobs
