#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <weft/workers/protocol_choice.hpp>

namespace weft::inline v1::cli {

/// `weft call`: one call of a function that a worker server offers.
struct call_options {
  std::string address;                 ///< "unix:/path" or "host:port"
  std::string method;                  ///< empty: the function without a name
  std::vector<std::string> arguments;  ///< each one JSON text
  bool strings = false;                ///< an argument that is no JSON is taken as a string
  std::optional<std::chrono::nanoseconds> timeout = std::chrono::seconds(30);  ///< nothing: none
  workers::protocol_choice protocol = workers::protocol_choice::automatic;
  std::string key_file;      ///< for a server that has keys; empty: none
  bool json_errors = false;  ///< print an error as a JSON object
  bool verbose = false;      ///< print what the function logged
  bool wait = false;         ///< for a server that does not listen yet
};

/// Prints the result as JSON on stdout; an error, and the log where wanted, on stderr. Gives the exit status:
/// 0, 1 where the call failed, 2 where it could not be made as it was asked for.
int run_call(const call_options& options);

}  // namespace weft::inline v1::cli
