#include "cli/dashboard_command.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/dashboard.hpp"
#include "cli/option_values.hpp"

namespace weft::inline v1::cli {

command add_dashboard(CLI::App& to) {
  auto options = std::make_shared<dashboard_options>();
  add_database(to, options->store);
  add_reading_keys(to, options->keys);
  to.add_option("--listen", options->listen, "Where it serves; 127.0.0.1:8484 unless said")
      ->type_name("ADDRESS");
  to.add_option("--operator-token-file", options->operator_token_file,
                "Who has this token may change things; without a file one is made, and printed")
      ->type_name("FILE");
  to.add_option("--viewer-token-file", options->viewer_token_file, "Who has this one may only look")
      ->type_name("FILE");
  to.add_option("--host", options->hosts, "A name by which browsers ask for it, besides localhost")
      ->type_name("NAME")
      ->allow_extra_args(false);
  to.add_option("--trace-url", options->trace_url,
                "Where the trace of a job is shown: https://traces.example.org/trace/{trace_id}")
      ->type_name("URL");
  to.add_option("--worker-url", options->worker_url,
                "Where a worker shows its fibers: http://{host}:9464/fibers; also {pid}, {id}")
      ->type_name("URL");
  to.add_option("--show-context", options->shown_context,
                "A value of the context of jobs that is no secret, by its name")
      ->type_name("NAME")
      ->allow_extra_args(false);
  to.add_flag("--behind-https", options->is_behind_https, "A proxy in front of it speaks https");
  to.footer(
      "It serves until SIGTERM or SIGINT. On another address than those of this machine it needs "
      "--operator-token-file and --host.");
  return [options] { return run_dashboard(*options); };
}

}  // namespace weft::inline v1::cli
