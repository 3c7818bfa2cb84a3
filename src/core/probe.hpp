#pragma once

/// WEFT_PROBE(name, arguments...): a place in weft's own code that perf, bpftrace, SystemTap and gdb can stop
/// at, as `weft:name`; docs/operations.md lists them. One instruction that does nothing while nobody looks;
/// the arguments (numbers and pointers, up to 12) are computed all the same, so they are what is at hand.
///
/// Without <sys/sdt.h> (Debian: systemtap-sdt-dev) where weft is built there are no probes.
#if __has_include(<sys/sdt.h>)
#define SDT_USE_VARIADIC 1  // NOLINT(readability-identifier-naming): its name for it
#include <sys/sdt.h>
#define WEFT_PROBE(name, ...) STAP_PROBEV(weft, name __VA_OPT__(, ) __VA_ARGS__)
#else
#define WEFT_PROBE(name, ...) static_cast<void>(0)
#endif
