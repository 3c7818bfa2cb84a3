// Prints its own stack from within a static function: once with symbols, once stripped.
#include <weft/core/symbolizer.hpp>

#include <cstdio>

namespace {

[[gnu::noinline]] void a_static_function() {
  const auto trace = weft::stack_trace::current();
  weft::symbolizer names;
  std::fputs(names.to_text(trace).c_str(), stdout);
}

}  // namespace

int main() {
  a_static_function();
  std::puts("end");
  return 0;
}
