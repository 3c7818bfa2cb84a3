#include "cli/jobs_push.hpp"

#include <cstdio>
#include <cstdlib>

#include <weft/codec/describe.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::cli {

namespace {

struct pushed_job {
  int schema = 1;
  std::string id;
};
WEFT_DESCRIBE(pushed_job, schema, id);

}  // namespace

std::string variable_of(const std::string& text) {
  if (text.find('=') != std::string::npos) return text;
  const char* const value = std::getenv(text.c_str());
  if (value == nullptr) {
    throw error(errc::not_found, "the variable " + text + " is not set here; write " + text + "=VALUE");
  }
  return text + '=' + value;
}

int run_jobs_push(const jobs_push_options& options) {
  if (options.command.arguments.empty()) {
    std::fputs("weft jobs push: no command; write --exec -- COMMAND ARGUMENT...\n", stderr);
    return exit_usage;
  }
  return guarded("weft jobs push", [&] {
    auto command = options.command;
    for (auto& one : command.environment) one = variable_of(one);
    jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
    const auto id = to_string(queue.push(jobs::run_command(std::move(command)), options.how));
    std::puts(options.as_json ? wire::to_json(pushed_job{.id = id}).c_str() : id.c_str());
    return exit_ok;
  });
}

}  // namespace weft::cli
