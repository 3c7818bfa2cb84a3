#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace signup {

/// What the program was asked for on its command line.
struct settings {
  std::filesystem::path folder = "signup-data";  ///< database, key and mails
  std::filesystem::path people;                  ///< the list to post
  std::string listen = "127.0.0.1:0";
  bool serve = false;         ///< stay up instead of posting the list
  bool print_events = false;  ///< a line on stdout for each thing that happened
  bool help = false;
  std::uint64_t fault_seed = 1;  ///< which first attempts at a mail fail
  unsigned fault_percent = 20;   ///< how many of them
  std::size_t requests_at_once = 64;
  std::size_t hashers = 2;  ///< worker processes that hash passwords
  std::size_t mailers = 4;  ///< worker processes that deliver mails
};

/// Reads `--name value` and `--name=value`. Throws weft::error (invalid_argument) with what is wrong.
settings read_settings(int argc, char** argv);

/// What --help prints.
std::string usage();

}  // namespace signup
