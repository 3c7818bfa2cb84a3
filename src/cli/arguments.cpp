#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>

namespace weft::inline v1::cli {

void add_database(CLI::App& to, std::string& url) {
  to.add_option("--db", url, "The database: sqlite:/path or postgres://user@host/name; else $WEFT_DB")
      ->type_name("URL")
      ->envname("WEFT_DB")
      ->required();
}

}  // namespace weft::inline v1::cli
