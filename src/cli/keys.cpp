#include "cli/keys.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>

#include <weft/core/error.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/key_file.hpp>

#include "cli/age_text.hpp"
#include "cli/exit_status.hpp"
#include "cli/printed_error.hpp"
#include "core/counted.hpp"

namespace weft::inline v1::cli {
namespace {

using std::chrono::sys_seconds;
using wire::key;
using wire::key_file;

sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

/// An error of `body` is printed.
int guarded_keys(const std::function<int()>& body) {
  try {
    const int status = body();
    return std::fflush(stdout) == 0 ? status : exit_failed;
  } catch (const error&) {
    std::fputs(error_text("weft keys", std::current_exception()).c_str(), stderr);
    return exit_failed;
  }
}

bool is_taken(const key_file& in, std::string_view id) {
  return std::any_of(in.keys.begin(), in.keys.end(), [&](const key& one) { return one.id() == id; }) ||
         std::any_of(in.retired.begin(), in.retired.end(), [&](const auto& one) { return one.id == id; });
}

/// The date, and a number where the file has a key of that date.
std::string fresh_id(const key_file& in) {
  const std::string date = wire::date_text(now()).substr(0, 10);
  std::string id = date;
  for (int number = 2; is_taken(in, id); ++number) id = date + '.' + std::to_string(number);
  return id;
}

[[noreturn]] void throw_no_key(const keys_options& options, const std::string& id) {
  throw error(errc::not_found, "key file " + options.file + ": no key has the id \"" + id + '"');
}

std::vector<listed_key> list_of(const key_file& file) {
  std::vector<listed_key> all;
  for (const auto& one : file.keys) {
    auto& shown = all.emplace_back(listed_key{one.id(), all.empty() ? "signs" : "verifies", {}, {}, {}});
    if (!one.created()) continue;
    shown.created = wire::date_text(*one.created());
    shown.age_seconds = (now() - *one.created()).count();
  }
  for (const auto& one : file.retired) {
    all.push_back({one.id, "retired", {}, wire::date_text(one.retired), (now() - one.retired).count()});
  }
  return all;
}

void print_list(const std::vector<listed_key>& keys) {
  std::size_t width = 2;
  for (const auto& one : keys) width = std::max(width, one.id.size());
  const int columns = static_cast<int>(width);
  std::printf("%-*s  %-8s  %-20s  AGE\n", columns, "ID", "USE", "SINCE");
  for (const auto& one : keys) {
    const std::string& since = one.use == "retired" ? one.retired : one.created;
    const auto seconds = std::max<std::int64_t>(one.age_seconds.value_or(0), 0);
    std::printf("%-*s  %-8s  %-20s  %s\n", columns, one.id.c_str(), one.use.c_str(),
                since.empty() ? "-" : since.c_str(),
                one.age_seconds ? age_text(std::chrono::seconds(seconds)).c_str() : "-");
  }
}

/// What the jobs of the store need. A store that does not exist is not made.
std::vector<jobs::key_use> uses_in(const std::string& url) {
  const auto store = jobs::open_store(url, {.prepare = false});
  return jobs::keys_in_use(*store);
}

std::string text_of(const jobs::key_use& use) {
  return counted(use.waiting, "job that waits or runs", "jobs that wait or run") + ", " +
         std::to_string(use.ended) + " dead, cancelled or quarantined ones, " +
         counted(use.secrets, "secret") + " and " + counted(use.results, "result");
}

/// Empty where there is none.
std::string problem_of(const jobs::key_use& use, const std::vector<listed_key>& keys) {
  const auto named =
      std::find_if(keys.begin(), keys.end(), [&](const auto& one) { return one.id == use.id; });
  const bool is_there = named != keys.end() && named->use != "retired";
  if (is_there || use.waiting + use.secrets + use.results == 0) return {};
  if (use.id.empty()) {
    return counted(use.waiting + use.results, "job or result names", "jobs or results name") + " no key";
  }
  return (named == keys.end() ? "the file lacks the key \"" : "retired is the key \"") + use.id +
         "\", which is needed by " + text_of(use);
}

void print_report(const keys_report& report) {
  print_list(report.keys);
  for (const auto& one : report.uses) {
    std::printf("key \"%s\" is needed by %s\n", one.id.c_str(), text_of(one).c_str());
  }
  for (const auto& one : report.problems) std::printf("problem: %s\n", one.c_str());
  if (report.problems.empty()) std::puts("all is well");
}

/// Throws where jobs still need the key.
void expect_unused(const keys_options& options) {
  for (const auto& use : uses_in(options.store)) {
    if (use.id != options.id || use.waiting + use.ended + use.secrets + use.results == 0) continue;
    throw error(errc::refused, "the key \"" + use.id + "\" is needed by " + text_of(use) +
                                   "; let them run or purge them, or say --force, which quarantines them");
  }
}

void retire(key_file& in, const keys_options& options) {
  const auto chosen = in.find(options.id);
  if (chosen == in.keys.end()) throw_no_key(options, options.id);
  if (chosen == in.keys.begin()) {
    throw error(errc::refused, "the key \"" + options.id + "\" signs; `weft keys rotate` comes first");
  }
  in.keys.erase(chosen);
  in.retired.push_back({options.id, now()});
}

/// Gives the id of the key that was chosen or made.
std::string rotate(key_file& in, const keys_options& options) {
  if (options.to.empty()) {
    std::string id = options.id.empty() ? fresh_id(in) : options.id;
    in.keys.insert(options.verify_only ? in.keys.end() : in.keys.begin(), key::generate(id));
    return id;
  }
  const auto chosen = in.find(options.to);
  if (chosen == in.keys.end()) throw_no_key(options, options.to);
  std::rotate(in.keys.begin(), chosen, chosen + 1);
  return options.to;
}

}  // namespace

int run_keys_generate(const keys_options& options) {
  return guarded_keys([&] {
    key_file file;
    const std::string id = options.id.empty() ? fresh_id(file) : options.id;
    file.keys.push_back(key::generate(id));
    file.create(options.file);
    std::printf(
        "made %s with the key \"%s\"; programs read it with wire::key_ring::load, or WEFT_KEYS=file:%s\n",
        options.file.c_str(), id.c_str(), options.file.c_str());
    return exit_ok;
  });
}

int run_keys_list(const keys_options& options) {
  return guarded_keys([&] {
    const auto keys = list_of(key_file::load(options.file));
    if (options.as_json) {
      std::puts(wire::to_json(keys).c_str());
    } else {
      print_list(keys);
    }
    return exit_ok;
  });
}

int run_keys_rotate(const keys_options& options) {
  return guarded_keys([&] {
    std::string id;
    key_file::change(options.file, [&](key_file& file) { id = rotate(file, options); });
    std::printf("\"%s\" %s from the next start of each program on\n", id.c_str(),
                options.verify_only ? "verifies" : "signs");
    return exit_ok;
  });
}

int run_keys_retire(const keys_options& options) {
  return guarded_keys([&] {
    if (!options.store.empty() && !options.force) expect_unused(options);
    key_file::change(options.file, [&](key_file& file) { retire(file, options); });
    std::printf("retired \"%s\": its secret is gone, and what it signed is quarantined\n",
                options.id.c_str());
    return exit_ok;
  });
}

int run_keys_check(const keys_options& options) {
  return guarded_keys([&] {
    key_file file = key_file::load(options.file);
    keys_report report{.file = options.file, .keys = list_of(file), .uses = {}, .problems = {}};
    const auto& signer = report.keys.front();
    if (options.age_max &&
        (!signer.age_seconds || std::chrono::seconds(*signer.age_seconds) > *options.age_max)) {
      report.problems.push_back("the key \"" + signer.id + "\" signs and is older than " +
                                std::to_string(options.age_max->count()) + " days; rotate it");
    }
    if (!options.store.empty()) report.uses = uses_in(options.store);
    for (const auto& use : report.uses) {
      auto problem = problem_of(use, report.keys);
      if (!problem.empty()) report.problems.push_back(std::move(problem));
    }
    if (options.as_json) {
      std::puts(wire::to_json(report).c_str());
    } else {
      print_report(report);
    }
    return report.problems.empty() ? exit_ok : exit_failed;
  });
}

}  // namespace weft::inline v1::cli
