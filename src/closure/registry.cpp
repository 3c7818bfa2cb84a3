#include <weft/closure/registry.hpp>

#include <algorithm>
#include <tuple>

#include <weft/core/error.hpp>
#include <weft/wire/json.hpp>

#include "closure/entries.hpp"

namespace weft::inline v1 {
namespace {

using reason = closure_refusal_reason;

closure_info info_of(detail::closure_entry& entry) {
  const auto* const identity = detail::cached_identity(entry);
  const bool has_identity = !identity->name.empty() || !identity->build_id.empty();
  return {has_identity ? identity->text() : std::string(),
          std::string(entry.name),
          std::string(entry.type),
          detail::place_of(entry),
          identity->schema,
          entry.result_schema(),
          detail::place_to_run(entry)};
}

closure_refusal unknown_name(const closure_identity& wanted) {
  return {reason::unknown_name,
          "this program has no closure named \"" + wanted.name +
              "\"; link the code that defines it (weft_jobs in CMake for a library)",
          wanted.schema, "", ""};
}

closure_refusal not_here(const closure_identity& wanted, bool is_this_build) {
  if (is_this_build) {
    return {reason::unknown_place, "this build has no closure at offset " + std::to_string(wanted.offset),
            wanted.schema, "", wanted.build_id};
  }
  return {reason::other_build,
          "an unnamed closure runs only in the build that made it, " + wanted.build_id +
              "; run that build, or give the closure a name with named_closure",
          wanted.schema, "", wanted.build_id};
}

/// The entry, or the refusal.
std::pair<detail::closure_entry*, closure_refusal> look_up(std::string_view text) {
  closure_identity wanted;
  try {
    wanted = closure_identity::parse(text);
  } catch (const error& problem) {
    return {nullptr, {reason::malformed_identity, problem.message(), "", "", ""}};
  }
  if (!wanted.name.empty()) {
    auto* const entry = detail::find_named(wanted.name);
    return {entry, entry == nullptr ? unknown_name(wanted) : closure_refusal{}};
  }
  bool is_this_build = false;
  auto* const entry = detail::find_unnamed(wanted.build_id, wanted.offset, is_this_build);
  return {entry, entry == nullptr ? not_here(wanted, is_this_build) : closure_refusal{}};
}

closure_refusal unfit_arguments(std::string_view identity, detail::closure_entry& entry,
                                const error& problem) {
  const std::string stored = closure_identity::parse(identity).schema;
  const std::string here = detail::cached_identity(entry)->schema;
  return {reason::arguments_unfit,
          "the stored arguments " + stored + " do not fit the closure's parameters " + here + " (" +
              detail::place_of(entry).text() + "): " + problem.message(),
          stored, here, ""};
}

std::string shown(const closure_info& info) {
  return "closure " +
         (info.name.empty() ? info.place.text() : '"' + info.name + "\" (" + info.place.text() + ')');
}

}  // namespace

std::string bound_closure::operator()(services& from) const {
  std::string out;
  wire::json_encoder encoder(out);
  call_->run_encoded(from, encoder);
  return out;
}

void bound_closure::run(services& from, encoder& out) const { call_->run_encoded(from, out); }

std::vector<std::string> bound_closure::missing(const services& from) const {
  return from.missing(entry_->requirements());
}

closure_info bound_closure::info() const { return info_of(*entry_); }

accepted<closure_info> closure_registry::find(std::string_view identity) {
  auto [entry, refusal] = look_up(identity);
  if (entry == nullptr) return std::move(refusal);
  return info_of(*entry);
}

accepted<bound_closure> closure_registry::bind(std::string_view identity, decoder& arguments) {
  auto [entry, refusal] = look_up(identity);
  if (entry == nullptr) return std::move(refusal);
  try {
    return bound_closure(*entry, entry->decode(arguments));
  } catch (const error& problem) {
    return unfit_arguments(identity, *entry, problem);
  }
}

accepted<bound_closure> closure_registry::bind(std::string_view identity, std::string_view arguments) {
  auto [entry, refusal] = look_up(identity);
  if (entry == nullptr) return std::move(refusal);
  try {
    wire::json_decoder decoder(arguments);
    return bound_closure(*entry, entry->decode(decoder));
  } catch (const error& problem) {
    return unfit_arguments(identity, *entry, problem);
  }
}

std::vector<closure_info> closure_registry::list() {
  std::vector<closure_info> all;
  for (auto* const entry : detail::all_entries()) all.push_back(info_of(*entry));
  const auto order = [](const closure_info& one) {
    return std::make_tuple(one.name.empty(), std::string_view(one.name), std::string_view(one.place.file),
                           one.place.line, one.place.column, std::string_view(one.type));
  };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  return all;
}

std::vector<std::string> closure_registry::missing(const services& from,
                                                   const std::function<bool(const closure_info&)>& which) {
  std::vector<std::string> problems;
  for (auto* const entry : detail::all_entries()) {
    if (which && !which(info_of(*entry))) continue;
    for (const auto& problem : from.missing(entry->requirements())) {
      problems.push_back(shown(info_of(*entry)) + ": " + problem);
    }
  }
  return problems;
}

}  // namespace weft::inline v1
