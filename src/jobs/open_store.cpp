#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/database_url.hpp"
#include "jobs/forked_store_check.hpp"
#include "jobs/memory_store.hpp"
#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/postgres_store.hpp"
#endif
#include "jobs/sqlite/sqlite_store.hpp"

namespace weft::inline v1::jobs {

#ifndef WEFT_WITHOUT_POSTGRES
namespace {

/// Deletes a store, but not in a forked child: its threads are not there, and its sessions are the parent's,
/// who goes on with them.
struct left_in_forked_child {
  forked_store_check process = {};
  void operator()(const store* one) const {
    if (process.is_own()) delete one;
  }
};

}  // namespace
#endif

std::shared_ptr<store> open_store(std::string_view url, const store_options& options) {
  switch (kind_of_url(url)) {
    case database_kind::memory:
      return std::make_shared<memory_store>();
    case database_kind::sqlite:
      return std::make_shared<sqlite::sqlite_store>(path_of_url(url), options);
    case database_kind::postgres:
#ifndef WEFT_WITHOUT_POSTGRES
      return {new postgres::postgres_store(std::string(url), options), left_in_forked_child{}};
#else
      break;  // refused before
#endif
  }
  throw error(errc::internal, "jobs: open the store: its kind has no store");
}

}  // namespace weft::inline v1::jobs
