#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/memory_store.hpp"
#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/postgres_store.hpp"
#endif
#include "jobs/sqlite/sqlite_store.hpp"

namespace weft::jobs {
namespace {

bool is_postgres(std::string_view url) {
  return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

#ifdef WEFT_WITHOUT_POSTGRES
// The URL may hold a password: it is not shown.
[[noreturn]] void refuse_postgres() {
  throw error(
      errc::unsupported,
      "jobs: open the store at a postgres:// URL: this weft was built without PostgreSQL; install libpq "
      "(Debian: libpq-dev) and build weft with -DWEFT_WITH_POSTGRES=ON");
}
#endif

}  // namespace

std::shared_ptr<store> open_store(std::string_view url, const store_options& options) {
  constexpr std::string_view sqlite_scheme = "sqlite:";
  if (url == "memory:") return std::make_shared<memory_store>();
  if (url.substr(0, sqlite_scheme.size()) == sqlite_scheme) {
    return std::make_shared<sqlite::sqlite_store>(std::string(url.substr(sqlite_scheme.size())), options);
  }
  if (is_postgres(url)) {
#ifdef WEFT_WITHOUT_POSTGRES
    refuse_postgres();
#else
    return std::make_shared<postgres::postgres_store>(std::string(url), options);
#endif
  }
  throw error(errc::invalid_argument, "jobs: open the store \"" + std::string(url) +
                                          "\": unknown kind; write sqlite:/path/file.db, "
                                          "postgres://user@host/database, or memory: for tests");
}

}  // namespace weft::jobs
