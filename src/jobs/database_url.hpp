#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::jobs {

enum class database_kind : unsigned char { memory, sqlite, postgres };

/// Of a URL as open_store takes it. Throws weft::error: invalid_argument for one of no kind, unsupported
/// where this weft was built without the kind. A message never shows a URL that may hold a password.
database_kind kind_of_url(std::string_view url);

/// The path in a sqlite: URL.
std::string path_of_url(std::string_view url);

}  // namespace weft::inline v1::jobs
