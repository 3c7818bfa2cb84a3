#include <weft/jobs/job_list.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

#include <weft/closure/registry.hpp>
#include <weft/wire/json.hpp>

#include "core/counted.hpp"

namespace weft::inline v1::jobs {
namespace {

/// FNV-1a of 64 bits, in hex.
std::string hash_of(std::string_view arguments, std::string_view result) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::string_view part : {arguments, std::string_view(" -> "), result}) {
    for (const char one : part) hash = (hash ^ static_cast<unsigned char>(one)) * 0x100000001b3U;
  }
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

listed_job listed(const closure_info& from) {
  return {from.identity,
          from.name,
          from.schema,
          from.result_schema,
          hash_of(from.schema, from.result_schema),
          std::string(to_string(from.runs_in)),
          from.place.text()};
}

std::string seconds_text(std::chrono::microseconds span) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g s", std::chrono::duration<double>(span).count());
  return text.data();
}

std::string text_of(const listed_retry& how) {
  if (how.drops_failed) return "none: an error ends the job";
  std::array<char, 64> growth{};
  std::snprintf(growth.data(), growth.size(), "times %g, jitter %g", how.base, how.jitter);
  std::string text =
      seconds_text(how.first) + ", " + growth.data() + ", at most " + seconds_text(how.longest);
  text += how.attempts_max == 0 ? ", for ever" : ", " + counted(how.attempts_max, "attempt");
  if (how.alert_after.count() > 0) text += ", alarm after " + seconds_text(how.alert_after);
  return text;
}

}  // namespace

job_list list_jobs(const worker_options& how, const queue_options& pushed) {
  job_list all;
  all.build_id = program_build_id();
  all.retry = {how.retry.for_ever ? 0 : pushed.max_attempts,
               how.retry.first,
               how.retry.base,
               how.retry.longest,
               how.retry.jitter,
               how.retry.alert_after,
               how.on_uncaught == on_uncaught::log_and_drop};
  for (const auto& one : closure_registry::list()) all.jobs.push_back(listed(one));
  return all;
}

std::string to_text(const job_list& all) {
  std::string text =
      "build " + (all.build_id.empty() ? "(none)" : all.build_id) + "\nretry " + text_of(all.retry) + '\n';
  for (const auto& one : all.jobs) {
    text += one.schema_hash + "  " + (one.name.empty() ? "(unnamed)" : one.name) + one.arguments + " -> " +
            one.result + "  " + one.place + "  " + one.source + '\n';
  }
  return text;
}

bool print_job_list_if_asked(int argc, const char* const* argv, const worker_options& how,
                             const queue_options& pushed) {
  const std::span arguments(argv, static_cast<std::size_t>(std::max(argc, 0)));
  const auto has = [&](std::string_view option) {
    return std::any_of(arguments.begin(), arguments.end(), [&](const char* one) { return one == option; });
  };
  if (!has("--list-jobs")) return false;
  const auto all = list_jobs(how, pushed);
  std::fputs((has("--json") ? wire::to_json(all) + '\n' : to_text(all)).c_str(), stdout);
  return true;
}

}  // namespace weft::inline v1::jobs
