#pragma once

namespace weft::inline v1::detail::quit_bells {

/// Rings `bell`, an eventfd, at every SIGQUIT of the process, in addition to what the program does there; the
/// first bell replaces the default action, which would end the process, and the last one restores it.
/// At most 64 at a time; more are not rung.
void add(int bell);
void remove(int bell);
/// Was it rung for a SIGQUIT since the last time?
bool take(int bell);

}  // namespace weft::inline v1::detail::quit_bells
