#include "cli/limits.hpp"

#include <climits>
#include <cstdint>
#include <cstdio>

#include <weft/jobs/limits.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/confirmation.hpp"
#include "cli/exit_status.hpp"
#include "cli/jobs_change.hpp"
#include "cli/jobs_store.hpp"
#include "cli/text_table.hpp"

namespace weft::inline v1::cli {

namespace {

constexpr std::size_t read_at_once = 500;

std::string escaped(std::string_view text) {
  std::string out;
  log::append_escaped(out, text);
  return out;
}

/// "1m", "90s", "1500us": in the greatest unit that it is a number of.
std::string period_text(std::chrono::microseconds period) {
  using namespace std::chrono_literals;
  struct unit {
    std::chrono::microseconds length;
    const char* name;
  };
  for (const unit& one : {unit{24h, "d"}, unit{1h, "h"}, unit{1min, "m"}, unit{1s, "s"}, unit{1ms, "ms"}}) {
    if (period % one.length == 0us) return std::to_string(period / one.length) + one.name;
  }
  return std::to_string(period.count()) + "us";
}

/// As --rate takes it, and how many at once.
std::string rate_text(const jobs::rate_options& rate) {
  if (rate.count == 0) return "any";
  const std::string text = std::to_string(rate.count) + '/' + period_text(rate.period);
  return rate.burst == 0 ? text : text + ", " + std::to_string(rate.burst) + " at once";
}

std::string held_back_text(std::int64_t count) {
  return std::to_string(count) + (count >= jobs::limit_waits_counted_max ? " or more" : "");
}

std::string list_text(const std::vector<jobs::stored_limit>& limits) {
  std::vector<std::vector<std::string>> rows{{"KEY", "RUNNING", "MAX", "RATE", "HELD BACK", "SAID BY"}};
  for (const auto& one : limits) {
    rows.push_back({escaped(one.is.key), std::to_string(one.running),
                    one.is.max == INT_MAX ? "any" : std::to_string(one.is.max), rate_text(one.is.rate),
                    held_back_text(one.held_back), one.pinned ? "set" : "pushes"});
  }
  return text_table(rows);
}

shown_limits shown(const std::vector<jobs::stored_limit>& limits, std::size_t asked_for) {
  shown_limits made;
  for (const auto& one : limits) made.limits.push_back(view_of(one));
  if (limits.size() == asked_for) made.next = made.limits.back().key;
  return made;
}

std::vector<std::string> keys_that_are_set(jobs::store& in) {
  std::vector<std::string> keys;
  for (std::string after;;) {
    const auto page = in.limits(after, read_at_once);
    for (const auto& one : page) {
      if (one.pinned) keys.push_back(one.is.key);
    }
    if (page.size() < read_at_once) return keys;
    after = page.back().is.key;
  }
}

void print(const change_report& report, bool as_json) {
  if (as_json) {
    std::puts(wire::to_json(report).c_str());
    return;
  }
  const auto number = std::to_string(report.dry_run ? report.matched : report.changed);
  std::printf("%s limits %sreleased\n", number.c_str(), report.dry_run ? "would be " : "");
  for (const auto& one : report.left)
    std::fprintf(stderr, "limit %s: %s\n", escaped(one.id).c_str(), one.why.c_str());
}

}  // namespace

int run_limits_list(const limits_options& options) {
  return guarded("weft limits list", [&] {
    const auto limits = open_existing(options.store)->limits(options.after, options.count);
    const auto text =
        options.as_json ? wire::to_json(shown(limits, options.count)) + '\n' : list_text(limits);
    std::fputs(text.c_str(), stdout);
    return exit_ok;
  });
}

int run_limits_set(const limits_options& options) {
  const bool is_bounded = options.max || options.rate;
  if (is_bounded == options.unlimited) {
    std::fputs("weft limits set: give --max, --rate or both; or --unlimited\n", stderr);
    return exit_usage;
  }
  return guarded("weft limits set", [&] {
    jobs::limit_options limit{.key = options.keys.front(), .max = options.max.value_or(INT_MAX)};
    if (options.rate) limit.rate = *options.rate;
    limit.rate.burst = options.burst;
    set_limit(*open_existing(options.store), limit);
    return exit_ok;
  });
}

int run_limits_release(const limits_options& options) {
  constexpr const char* command = "weft limits release";
  if (options.all != options.keys.empty()) {
    std::fprintf(stderr, "%s: give either keys of limits, or --all\n", command);
    return exit_usage;
  }
  return guarded(command, [&] {
    const auto store = open_existing(options.store);
    const auto keys = options.all ? keys_that_are_set(*store) : options.keys;
    change_report report{
        .matched = static_cast<std::int64_t>(keys.size()), .dry_run = options.dry_run, .left = {}};
    if (!options.dry_run && !keys.empty()) {
      const int asked =
          options.all ? ask_first(options.yes, command, "Release " + std::to_string(keys.size()) + " limits?")
                      : exit_ok;
      if (asked != exit_ok) return asked;
      for (const auto& key : keys) {
        if (release_limit(*store, key)) {
          ++report.changed;
        } else {
          report.left.push_back({key, "nobody has set it"});
        }
      }
    }
    print(report, options.as_json);
    const bool none = options.dry_run ? report.matched == 0 : report.changed == 0;
    return none || !report.left.empty() ? exit_failed : exit_ok;
  });
}

}  // namespace weft::inline v1::cli
