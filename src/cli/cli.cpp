#include <weft/cli/cli.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include <weft/core/version.hpp>

#include "cli/doctor.hpp"

namespace weft::cli {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

int parse_and_run(int argc, char** argv) {
  CLI::App app{"weft: run a function somewhere else and keep its context attached", "weft"};
  app.set_version_flag("-V,--version", "weft " + std::string(version));
  app.require_subcommand(1);

  CLI::App* const doctor = app.add_subcommand("doctor", "Look at kernel, limits and libraries");
  bool as_json = false;
  doctor->add_flag("--json", as_json, "Print JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    const int status = app.exit(stop);  // prints help, version or what is wrong
    return status == 0 ? 0 : exit_usage;
  }
  return run_doctor(as_json);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "weft: %s\n", failure.what());
    return exit_failed;
  }
}

}  // namespace weft::cli
