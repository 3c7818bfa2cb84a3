#include <weft/closure/closure.hpp>

namespace {

[[maybe_unused]] void other() {
  weft::closure c{weft::named_closure<"same.name">([](int) {}), 1};
}

}  // namespace
