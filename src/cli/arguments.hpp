#pragma once

#include <functional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): the name of the library
class App;
class Option;
}  // namespace CLI

namespace weft::inline v1::cli {

/// What a command line asks for; gives the exit status.
using command = std::function<int()>;

/// The option --db, of the commands that work on a database.
void add_database(CLI::App& to, std::string& url);

}  // namespace weft::inline v1::cli
