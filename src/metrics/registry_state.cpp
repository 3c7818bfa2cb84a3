#include "metrics/registry_state.hpp"

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>

#include "metrics/name_rules.hpp"

namespace weft::inline v1::metrics::detail {
namespace {

constexpr const char* refused_values_name = "weft_metrics_refused_values_total";
constexpr const char* refused_label_sets_name = "weft_metrics_refused_label_sets_total";
constexpr const char* source_errors_name = "weft_metrics_source_errors_total";

[[noreturn]] void throw_unlike(kind what_kind, const description& what, const family_state& there) {
  throw error(errc::already_exists,
              "metrics: register the " + std::string(to_string(what_kind)) + " \"" + what.name +
                  "\": there is the " + std::string(to_string(there.what_kind())) + " \"" +
                  there.what().name +
                  "\", and kind, unit, labels or bounds differ; give one of them another name");
}

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failed) {
    return failed.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

}  // namespace

family_state& registry_state::get_family(kind what_kind, const description& what,
                                         const std::vector<double>& bounds) {
  check_description(what_kind, what);
  if (what_kind == kind::histogram) check_bounds(what, bounds);
  const std::string_view base = base_name(what.name);
  const std::lock_guard lock(families_mutex_);
  if (const auto found = families_.find(base); found != families_.end()) {
    if (!found->second->is_like(what_kind, what, bounds)) throw_unlike(what_kind, what, *found->second);
    return *found->second;
  }
  if (families_.size() >= options_.families_max) {
    throw error(errc::resource_exhausted, "metrics: register \"" + what.name + "\": there are " +
                                              std::to_string(families_.size()) +
                                              " families, which is families_max; use labels, or raise it");
  }
  auto made = std::make_unique<family_state>(what_kind, what, bounds);
  return *families_.emplace(base, std::move(made)).first->second;
}

source_entry& registry_state::add_source(std::vector<given_family> families,
                                         unique_function<void(readings&)> read) {
  require_outside_source("add_source");
  std::vector<family_state*> states;
  for (const given_family& one : families) {
    if (one.kind == kind::histogram) {
      throw error(errc::invalid_argument,
                  "metrics: register \"" + one.what.name + "\": a source gives counters and gauges only");
    }
    states.push_back(&get_family(one.kind, one.what));
  }
  const std::lock_guard lock(sources_mutex_);
  return sources_.emplace_back(std::move(states), std::move(read));
}

void registry_state::remove_source(source_entry& entry) noexcept {
  std::list<source_entry> removed;  // ends after the lock: it may hold the last reference to anything
  const std::lock_guard lock(sources_mutex_);
  const auto here = std::find_if(sources_.begin(), sources_.end(), [&](auto& one) { return &one == &entry; });
  removed.splice(removed.end(), sources_, here);
}

void registry_state::call_sources(given_by_family& given, std::vector<std::string>& problems) {
  for (source_entry& one : sources_) {
    try {
      one.read(given);
    } catch (const unwinding&) {
      throw;
    } catch (...) {
      // One source that fails must not take the figures of all others away.
      ++source_errors_;
      problems.push_back("metrics: a source failed: " + text_of(std::current_exception()));
    }
  }
}

void registry_state::read_families(snapshot& into, const given_by_family& given) {
  static const given_values nothing;
  for (const auto& [base, family] : families_) {
    const auto found = given.find(family.get());
    into.families.push_back(family->read(found == given.end() ? nothing : found->second));
  }
}

family_snapshot registry_state::own_counter(const char* name, const char* help,
                                            std::uint64_t (family_state::*count)() const) {
  family_snapshot own{.kind = kind::counter, .name = name, .help = help, .labels = {"metric"}};
  for (const auto& [base, family] : families_) {
    const std::uint64_t refused = ((*family).*count)();
    if (refused > 0) {
      own.samples.push_back({.label_values = {family->what().name}, .value = static_cast<double>(refused)});
    }
  }
  return own;
}

snapshot registry_state::read() {
  require_outside_source("take_snapshot");
  snapshot all{.taken = std::chrono::system_clock::now()};
  given_by_family given;
  const std::lock_guard sources_lock(sources_mutex_);
  call_sources(given, all.problems);
  const std::lock_guard lock(families_mutex_);
  read_families(all, given);
  all.families.push_back(own_counter(refused_label_sets_name,
                                     "Look-ups of label sets that found their family full",
                                     &family_state::refused_label_sets));
  all.families.push_back(own_counter(refused_values_name,
                                     "Values left out because they were negative or no number",
                                     &family_state::refused_values));
  all.families.push_back({.kind = kind::counter,
                          .name = source_errors_name,
                          .help = "Calls of sources that threw",
                          .samples = {{.value = static_cast<double>(source_errors_)}}});
  const auto by_name = [](const auto& a, const auto& b) { return base_name(a.name) < base_name(b.name); };
  std::sort(all.families.begin(), all.families.end(), by_name);
  return all;
}

}  // namespace weft::inline v1::metrics::detail
