#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/memory_store.hpp"
#include "jobs/sqlite/sqlite_store.hpp"

namespace weft::jobs {

std::shared_ptr<store> open_store(std::string_view url, const store_options& options) {
  constexpr std::string_view sqlite_scheme = "sqlite:";
  if (url == "memory:") return std::make_shared<memory_store>();
  if (url.substr(0, sqlite_scheme.size()) == sqlite_scheme) {
    return std::make_shared<sqlite::sqlite_store>(std::string(url.substr(sqlite_scheme.size())), options);
  }
  throw error(errc::invalid_argument,
              "jobs: open the store \"" + std::string(url) +
                  "\": unknown kind; write sqlite:/path/file.db, or memory: for tests");
}

}  // namespace weft::jobs
