#pragma once

#include <string>
#include <string_view>

#include "cli/completion.hpp"

namespace weft::inline v1::cli {

/// Adds what a database knows under such names, as they are asked for in `to`. Another process of this
/// program looks, as a database may be slow, or none: it is given half a second, and whatever it has to
/// complain about is not heard. Waits so long.
void add_known_names(completions& to);

/// That other process: prints a line for each name of that kind in the database of $WEFT_DB that begins so,
/// "text<TAB>purpose". Prints nothing where it cannot look. Gives the exit status, 0.
int print_known_names(std::string_view kind, std::string_view begun);

}  // namespace weft::inline v1::cli
