#pragma once

#include <string_view>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {

/// Counts an error that a database has answered, or that kept it from answering, in the default registry,
/// unless it is its user's: nothing was found, refused, wrong or there already. Those that are tried again
/// are counted, too. `database`: "sqlite", "postgres". Any thread.
void count_database_error(std::string_view database, errc code) noexcept;

}  // namespace weft::inline v1::jobs
