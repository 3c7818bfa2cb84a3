#include "jobs/database_url.hpp"

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

}  // namespace

database_kind kind_of_url(std::string_view url) {
  if (url == "memory:") return database_kind::memory;
  if (url.starts_with(sqlite_scheme)) return database_kind::sqlite;
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
#ifdef WEFT_WITHOUT_POSTGRES
    throw error(errc::unsupported,
                "jobs: open the store at a postgres:// URL: this weft was built without PostgreSQL; install "
                "libpq (Debian: libpq-dev) and build weft with -DWEFT_WITH_POSTGRES=ON");
#else
    return database_kind::postgres;
#endif
  }
  throw error(errc::invalid_argument, "jobs: open the store \"" + std::string(url) +
                                          "\": unknown kind; write sqlite:/path/file.db, "
                                          "postgres://user@host/database, or memory: for tests");
}

std::string path_of_url(std::string_view url) { return std::string(url.substr(sqlite_scheme.size())); }

}  // namespace weft::inline v1::jobs
