#include <weft/closure/run_place.hpp>

namespace weft::inline v1 {

std::string_view to_string(run_place place) noexcept {
  switch (place) {
    case run_place::fiber:
      return "fiber";
    case run_place::pool:
      return "pool";
    case run_place::workers:
      return "workers";
    case run_place::unsaid:
      break;
  }
  return "unsaid";
}

}  // namespace weft::inline v1
