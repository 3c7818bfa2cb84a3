#pragma once

#include <string>

namespace weft::inline v1::jobs::sqlite {

/// Looks at the place of a database before SQLite does, which would only say "unable to open database
/// file". Throws weft::error that names the path, the reason and what to do: also where there is none and it
/// must exist. Never opens the file:
/// closing any descriptor of it would drop SQLite's locks in this process.
void check_place(const std::string& path, bool must_exist = false);

}  // namespace weft::inline v1::jobs::sqlite
