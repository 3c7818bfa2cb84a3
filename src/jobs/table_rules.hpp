#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <weft/jobs/maintenance.hpp>

// What must hold between the tables of jobs, which are much the same in each kind of database.

namespace weft::inline v1::jobs {

struct table_rule {
  const char* broken;  ///< what a row that the query finds means; its first column says of what
  const char* query;
};

/// Those of every kind. They read the newest schema, in SQL that all of them understand.
std::span<const table_rule> common_table_rules() noexcept;

/// So many of what breaks a rule are named.
inline constexpr std::int64_t shown_per_rule = 10;

/// Adds one, as long as there are not too many. What it names may be anybody's text.
void add_problem(database_report& to, std::string_view what);
/// `count` break the rule; only shown_per_rule of them were added.
void add_unnamed_problems(database_report& to, const table_rule& broken, std::int64_t count);

}  // namespace weft::inline v1::jobs
