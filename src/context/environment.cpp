#include <weft/context/environment.hpp>

#include <weft/core/hook_table.hpp>

namespace weft::inline v1 {
namespace {

constinit detail::hook_table<environment_source, environment_sources_max> sources;

}  // namespace

void add_environment_source(environment_source source) {
  if (sources.add(source)) return;
  throw error(errc::resource_exhausted, "context: add an environment source: there are " +
                                            std::to_string(environment_sources_max) + " already");
}

std::vector<environment_variable> environment_of(const context& of) {
  std::vector<environment_variable> all;
  sources.call_all(of, all);
  return all;
}

}  // namespace weft::inline v1
