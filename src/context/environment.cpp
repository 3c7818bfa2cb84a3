#include <weft/context/environment.hpp>

#include <array>
#include <atomic>

namespace weft {
namespace {

// Filled from the front.
constinit std::array<std::atomic<environment_source>, environment_sources_max> sources{};

}  // namespace

void add_environment_source(environment_source source) {
  for (auto& place : sources) {
    environment_source found = nullptr;
    if (place.compare_exchange_strong(found, source) || found == source) return;
  }
  throw error(errc::resource_exhausted, "context: add an environment source: there are " +
                                            std::to_string(environment_sources_max) + " already");
}

std::vector<environment_variable> environment_of(const context& of) {
  std::vector<environment_variable> all;
  for (const auto& place : sources) {
    const environment_source source = place.load(std::memory_order_acquire);
    if (source == nullptr) break;
    source(of, all);
  }
  return all;
}

}  // namespace weft
