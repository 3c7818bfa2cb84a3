#include <weft/log/context_source.hpp>

#include <string>

#include <weft/core/error.hpp>
#include <weft/core/hook_table.hpp>

#include "log/routes.hpp"

namespace weft::inline v1::log {
namespace {

constinit weft::detail::hook_table<context_source, context_sources_max> sources;

}  // namespace

void add_context_source(context_source source) {
  if (sources.add(source)) return;
  throw weft::error(errc::resource_exhausted, "log: add a context source: there are " +
                                                  std::to_string(context_sources_max) + " already");
}

namespace detail {

void ask_context_sources(std::vector<context_field>& into) { sources.call_all(into); }

}  // namespace detail
}  // namespace weft::inline v1::log
