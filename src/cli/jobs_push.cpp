#include "cli/jobs_push.hpp"

#include <cstdio>
#include <cstdlib>

#include <weft/codec/describe.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {

namespace {

struct pushed_job {
  int schema = 1;
  std::string id;
};
WEFT_DESCRIBE(pushed_job, schema, id);

}  // namespace

jobs::command with_variables_of_here(jobs::command command) {
  for (auto& one : command.environment) {
    if (one.find('=') != std::string::npos) continue;
    const char* const value = std::getenv(one.c_str());
    if (value == nullptr) {
      std::string why = "the variable " + one + " is not set here; write ";
      throw error(errc::not_found, why.append(one).append("=VALUE"));
    }
    one.append("=").append(value);
  }
  return command;
}

void print_pushed(jobs::job_id id, bool as_json) {
  const pushed_job pushed{.id = to_string(id)};
  std::puts(as_json ? wire::to_json(pushed).c_str() : pushed.id.c_str());
}

int run_jobs_push(const jobs_push_options& options) {
  if (options.command.arguments.empty()) {
    std::fputs("weft jobs push: no command; write --exec -- COMMAND ARGUMENT...\n", stderr);
    return exit_usage;
  }
  return guarded("weft jobs push", [&] {
    // The job, and each line that is logged of it, belongs to the trace of who runs this.
    const auto started_by = trace::from_environment().attach();
    jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
    jobs::push_options how = options.how;
    if (options.expires_in) how.expires = queue.clock().now() + *options.expires_in;
    const auto program = jobs::run_command(with_variables_of_here(options.command));
    const auto id = options.batch ? queue.add_to_batch(*options.batch, std::vector{program}, how).front()
                                  : queue.push(program, how);
    print_pushed(id, options.as_json);
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
