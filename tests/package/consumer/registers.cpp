// Registers itself before main, as a closure does; nothing refers to this file.
#include <cstdlib>

namespace {

const bool registered = setenv("REGISTERED_" KIND, "yes", 1) == 0;  // NOLINT(concurrency-mt-unsafe)

}  // namespace
