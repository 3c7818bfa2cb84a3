#pragma once

#include <string>

namespace weft::store_contract_support {

/// The URL of a database of its own for a test, with the tables of jobs, on the one server of the test
/// program.
std::string make_postgres_database(const std::string& name);
/// The same database, as a role that has the rights of a worker and no more.
std::string as_worker(std::string url);
/// It is not used any more: empties it, for another test.
void drop_postgres_database(const std::string& name);
std::string postgres_url(const std::string& name);
/// The same database by way of a pooler in transaction mode, of which the test program has one. It logs in as
/// the owner of the schema.
std::string through_pooler(const std::string& url);
/// Where the pooler's socket is.
std::string pooler_folder();

}  // namespace weft::store_contract_support
