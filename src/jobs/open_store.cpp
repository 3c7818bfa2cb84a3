#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/database_url.hpp"
#include "jobs/memory_store.hpp"
#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/postgres_store.hpp"
#endif
#include "jobs/sqlite/sqlite_store.hpp"

namespace weft::inline v1::jobs {

std::shared_ptr<store> open_store(std::string_view url, const store_options& options) {
  switch (kind_of_url(url)) {
    case database_kind::memory:
      return std::make_shared<memory_store>();
    case database_kind::sqlite:
      return std::make_shared<sqlite::sqlite_store>(path_of_url(url), options);
    case database_kind::postgres:
#ifndef WEFT_WITHOUT_POSTGRES
      return std::make_shared<postgres::postgres_store>(std::string(url), options);
#else
      break;  // refused before
#endif
  }
  throw error(errc::internal, "jobs: open the store: its kind has no store");
}

}  // namespace weft::inline v1::jobs
