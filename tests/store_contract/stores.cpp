#include <weft/jobs/maintenance.hpp>

#include "store_contract/store_contract.hpp"

namespace weft::jobs {

INSTANTIATE_TEST_SUITE_P(memory, store_contract,
                         testing::Values(store_under_test{
                             "memory", [](const std::string&) { return open_store("memory:"); }}));

INSTANTIATE_TEST_SUITE_P(
    sqlite, store_contract,
    testing::Values(store_under_test{
        "sqlite", [](const std::string& folder) { return open_store("sqlite:" + folder + "/jobs.db"); },
        [](const std::string& folder) { return check_database("sqlite:" + folder + "/jobs.db").problems; }}));

}  // namespace weft::jobs
