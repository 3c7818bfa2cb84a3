// Blocking calls of libc on fibers, made to wait by libweft_hook.so: against weft's own, and in the libraries
// that make them. Processes of their own, as the library is for all of a program.

#include <string>

#include "support/child.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

measurement hooked(const std::string& kind, const std::string& count = "0") {
  return [kind, count] { return number_from({WEFT_BENCH_HOOKED, kind, count}); };
}

const measurement own = [] { return number_from({WEFT_BENCH_UNHOOKED, "own"}); };

const add hooked_reads{{
    .group = "net",
    .name = "blocking read and write, hooked, CPU per round trip",
    .unit = "ns",
    .ours = hooked("plain"),
    .baseline = "weft::net::stream",
    .peer = own,
}};

const add own_beside{{
    .group = "net",
    .name = "net::stream in a hooked program, CPU per round trip",
    .unit = "ns",
    .ours = hooked("own"),
    .baseline = "net::stream in another",
    .peer = own,
}};

const add pg{{
    .group = "net",
    .name = "100 pg_sleep(0.1) by libpq, hooked, one thread",
    .unit = "s",
    .ours = hooked("pg", "100"),
    .baseline = "one",
    .peer = hooked("pg", "1"),
    .target = at_most_times(3),
    .more = {{"100 threads",
              [] {
                return number_from({WEFT_BENCH_UNHOOKED, "pg-threads", "100"});
              }}},
}};

const add redis{{
    .group = "net",
    .name = "100 BLPOP for 0.1 s by hiredis, hooked, one thread",
    .unit = "s",
    .ours = hooked("redis", "100"),
    .baseline = "one",
    .peer = hooked("redis", "1"),
    .target = at_most_times(3),
}};

const add curl{{
    .group = "net",
    .name = "100 downloads of 0.1 s by libcurl, hooked, one thread",
    .unit = "s",
    .ours = hooked("curl", "100"),
    .baseline = "one",
    .peer = hooked("curl", "1"),
    .target = at_most_times(3),
}};

}  // namespace
