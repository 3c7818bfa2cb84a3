#include "cli/limits.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <utility>

#include <weft/jobs/limits.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/confirmation.hpp"
#include "cli/exit_status.hpp"
#include "cli/jobs_change.hpp"
#include "cli/jobs_store.hpp"
#include "cli/text_table.hpp"
#include "core/counted.hpp"
#include "core/hex.hpp"

namespace weft::inline v1::cli {

namespace {

// Each counts up to limit_waits_counted_max jobs.
constexpr std::size_t read_at_once = 50;
constexpr std::size_t read_for_one = 4;

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
    rows.push_back({log::escaped(one.is.key), std::to_string(one.running),
                    one.is.max == INT_MAX ? "any" : std::to_string(one.is.max), rate_text(one.is.rate),
                    held_back_text(one.held_back), one.pinned ? "set" : "pushes"});
  }
  return text_table(rows);
}

shown_limits shown(const std::vector<jobs::stored_limit>& limits, std::size_t asked_for) {
  shown_limits made;
  for (const auto& one : limits) made.limits.push_back(view_of(one));
  if (limits.size() == asked_for) made.next = hex_of(limits.back().is.key);
  return made;
}

/// Calls `each` with the limits behind that key, `at_once` in each read, until it says that this is enough.
void look_at_limits(jobs::store& in, std::string after, std::size_t at_once,
                    const std::function<bool(const jobs::stored_limit&)>& each) {
  for (;;) {
    const auto page = in.limits(after, at_once);
    for (const auto& one : page) {
      if (!each(one)) return;
    }
    if (page.size() < at_once) return;
    after = page.back().is.key;
  }
}

std::vector<jobs::stored_limit> limits_behind(jobs::store& in, const std::string& after, std::size_t count) {
  std::vector<jobs::stored_limit> all;
  look_at_limits(in, after, std::min(count, read_at_once), [&](const jobs::stored_limit& one) {
    all.push_back(one);
    return all.size() < count;
  });
  return all;
}

std::vector<std::string> keys_that_are_set(jobs::store& in) {
  std::vector<std::string> keys;
  look_at_limits(in, "", read_at_once, [&](const jobs::stored_limit& one) {
    if (one.pinned) keys.push_back(one.is.key);
    return true;
  });
  return keys;
}

/// A text shortly before that key, and UTF-8 where the key is: databases may take nothing else.
std::string shortly_before(std::string key) {
  const auto last = [&] { return static_cast<unsigned char>(key.back()); };
  if (key.empty()) return key;
  if (last() > ' ' && last() < 0x80) {
    --key.back();
    return key;
  }
  while (key.size() > 1 && (last() & 0xc0U) == 0x80U) key.pop_back();
  key.pop_back();
  return key;
}

bool is_set(jobs::store& in, const std::string& key) {
  bool found = false;
  look_at_limits(in, shortly_before(key), read_for_one, [&](const jobs::stored_limit& one) {
    found = one.is.key == key && one.pinned;
    return one.is.key < key;
  });
  return found;
}

void print(change_report report, bool as_json) {
  if (as_json) {
    for (auto& one : report.left) one.id = log::to_utf8(one.id);
    std::puts(wire::to_json(report).c_str());
    return;
  }
  const auto number = counted(report.dry_run ? report.matched : report.changed, "limit");
  std::printf("%s %sreleased\n", number.c_str(), report.dry_run ? "would be " : "");
  for (const auto& one : report.left)
    std::fprintf(stderr, "limit %s: %s\n", log::escaped(one.id).c_str(), one.why.c_str());
}

}  // namespace

int run_limits_list(const limits_options& options) {
  return guarded("weft limits list", [&] {
    const auto limits = limits_behind(*open_existing(options.store), options.after, options.count);
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
    change_report report{.dry_run = options.dry_run, .left = {}};
    if (options.all && !options.dry_run && !keys.empty()) {
      const int asked = ask_first(options.yes, command, "Release " + counted(keys.size(), "limit") + '?');
      if (asked != exit_ok) return asked;
    }
    for (const auto& key : keys) {
      const bool is_known = options.all && options.dry_run;
      if (is_known || (options.dry_run ? is_set(*store, key) : release_limit(*store, key))) {
        ++report.matched;
      } else {
        report.left.push_back({key, "nobody has set it"});
      }
    }
    if (!options.dry_run) report.changed = report.matched;
    const bool is_all_done = report.matched > 0 && report.left.empty();
    print(std::move(report), options.as_json);
    return is_all_done ? exit_ok : exit_failed;
  });
}

}  // namespace weft::inline v1::cli
