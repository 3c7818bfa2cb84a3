// Aborts with three fibers parked, each in a function of its own name: gdb_test.cpp looks at the core.
#include <cstdlib>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

[[gnu::noinline]] void waits_in_first(weft::channel<int>& values) {
  values.pop();
  asm volatile("" ::: "memory");  // no tail call
}
[[gnu::noinline]] void waits_in_second(weft::channel<int>& values) {
  values.pop();
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void waits_in_third() {
  weft::sleep_for(std::chrono::hours(1));
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void gives_up() { std::abort(); }

}  // namespace

int main() {
  weft::run([] {
    weft::channel<int> values(0);
    weft::scope children;
    children.go([&] { waits_in_first(values); }, {.name = "first"});
    children.go([&] { waits_in_second(values); }, {.name = "second"});
    children.go([] { waits_in_third(); }, {.name = "third"});
    weft::yield();
    gives_up();
  });
}
