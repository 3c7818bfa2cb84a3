#pragma once

namespace weft::bench {

/// What the loads of this group share. A connection to a port of loopback, blocking, without delay; throws
/// std::runtime_error.
int connect_to(int port);
/// Of the steady clock.
double now_us();

}  // namespace weft::bench
