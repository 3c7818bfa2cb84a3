#include <weft/log/context_source.hpp>

#include <array>
#include <atomic>
#include <string>

#include <weft/core/error.hpp>

#include "log/routes.hpp"

namespace weft::log {
namespace {

constinit std::array<std::atomic<context_source>, context_sources_max> sources{};  // filled from the front

}  // namespace

void add_context_source(context_source source) {
  for (auto& place : sources) {
    context_source found = nullptr;
    if (place.compare_exchange_strong(found, source) || found == source) return;
  }
  throw weft::error(errc::resource_exhausted, "log: add a context source: there are " +
                                                  std::to_string(context_sources_max) + " already");
}

namespace detail {

void ask_context_sources(std::vector<context_field>& into) {
  for (const auto& place : sources) {
    const context_source source = place.load(std::memory_order_acquire);
    if (source == nullptr) return;
    source(into);
  }
}

}  // namespace detail
}  // namespace weft::log
