#include "cli/batches_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cli/batches.hpp"
#include "cli/batches_push.hpp"
#include "cli/jobs_change.hpp"
#include "cli/option_values.hpp"

namespace weft::inline v1::cli {

command add_batches(CLI::App& to, std::vector<std::string> program) {
  auto options = std::make_shared<jobs_options>();
  auto chosen = std::make_shared<command>();
  to.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose, int (*run)(const jobs_options&)) {
    CLI::App* const added = to.add_subcommand(name, purpose);
    add_database(*added, options->store);
    added->parse_complete_callback([=] { *chosen = [=] { return run(*options); }; });
    add_json(*added, options->as_json);
    return added;
  };
  const auto add_of_one = [&](const char* name, const char* purpose, int (*run)(const jobs_options&)) {
    CLI::App* const added = add(name, purpose, run);
    add_ids(*added, options->ids);
    added->get_option("id")->required()->expected(1);
    return added;
  };
  auto* const list = add("list", "Show batches, newest first", &run_batches_list);
  list->add_option_function<std::string>(
          "--before", [options](const std::string& id) { options->before = job_id_of(id); },
          "Only batches older than this one: for the next page")
      ->type_name("ID");
  list->add_option("--limit", options->limit, "So many batches; 100 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, listed_at_once_max));
  add_reading_keys(*list, options->keys);
  add_reading_keys(*add_of_one("show", "Count the jobs of a batch by state", &run_batches_show),
                   options->keys);
  add_safeguards(*add_of_one("cancel", "Give up all its jobs that have not ended, its last one too",
                             &run_batches_cancel),
                 options->yes, options->dry_run);
  auto pushed = std::make_shared<batches_push_options>();
  pushed->then.arguments = std::move(program);
  CLI::App* const push =
      to.add_subcommand("push", "Keep programs as a batch, for `weft work`; behind --: one that runs last");
  add_database(*push, pushed->store);
  push->add_option("file", pushed->file, R"(A line for each: {"arguments": ["backup", "/srv"]}; - for stdin)")
      ->type_name("FILE")
      ->required();
  push->add_option("--keys", pushed->keys, "Key file that signs the jobs; else $WEFT_KEYS")
      ->type_name("FILE");
  push->add_option("--queue", pushed->how.queue, "Where they wait; \"default\" unless said")
      ->type_name("QUEUE");
  push->add_option("--priority", pushed->how.priority, "Lower runs first; 0 unless said")
      ->type_name("NUMBER")
      ->check(CLI::Range(-32768, 32767));
  add_span(*push, "--delay", pushed->how.delay, "They run that long from now at the earliest: 5m, 2h");
  add_span(*push, "--timeout", pushed->how.timeout, "Bound of one attempt: then it is ended, and has failed");
  push->add_option("--attempts", pushed->how.max_attempts, "Failures until one is dead; 10 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1'000'000));
  push->add_option("--tag", pushed->how.tags, "For people; several: again")
      ->type_name("TAG")
      ->allow_extra_args(false);
  add_json(*push, pushed->as_json);
  push->footer("Example: weft batches push --keys keys pages.jsonl -- mail -s done me@example.org");
  push->parse_complete_callback([=] { *chosen = [=] { return run_batches_push(*pushed); }; });
  return [chosen] { return (*chosen)(); };
}

}  // namespace weft::inline v1::cli
