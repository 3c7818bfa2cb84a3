#include <filesystem>

#include <weft/jobs/maintenance.hpp>

#include "store_contract/postgres_database.hpp"
#include "store_contract/store_contract.hpp"

namespace weft::jobs {
namespace {

namespace support = store_contract_support;

/// A test has a folder; its database has the folder's name.
std::string name_of(const std::string& folder) { return std::filesystem::path(folder).filename().string(); }

std::vector<std::string> problems_of(const std::string& folder) {
  auto found = check_database(support::postgres_url(name_of(folder))).problems;
  support::drop_postgres_database(name_of(folder));
  return found;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(postgres, store_contract,
                         testing::Values(store_under_test{
                             "postgres",
                             [](const std::string& folder) {
                               return open_store(
                                   support::as_worker(support::make_postgres_database(name_of(folder))));
                             },
                             problems_of}));

// Sessions change under the store between transactions, and nobody hears notices.
INSTANTIATE_TEST_SUITE_P(pooled, store_contract,
                         testing::Values(store_under_test{
                             "pgbouncer",
                             [](const std::string& folder) {
                               return open_store(
                                   support::through_pooler(support::make_postgres_database(name_of(folder))));
                             },
                             problems_of, 2}));

}  // namespace weft::jobs
