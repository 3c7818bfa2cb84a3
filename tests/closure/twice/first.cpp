#include <weft/closure/closure.hpp>

namespace {

[[maybe_unused]] void one() {
  weft::closure c{weft::named_closure<"same.name">([] {})};
}

}  // namespace

int main() { return 0; }
