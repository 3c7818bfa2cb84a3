#include <weft/metrics/registry.hpp>

#include <weft/core/error.hpp>

#include "metrics/registry_state.hpp"

namespace weft::inline v1::metrics {
namespace {

void require_labels(const description& what, bool wanted) {
  if (what.labels.empty() != wanted) return;
  throw error(errc::misuse, "metrics: register \"" + what.name + "\": " +
                                (wanted ? "a family needs label names; without labels it is one metric"
                                        : "it has labels; register it as a family"));
}

template <typename Metric>
Metric the_one(detail::family_state& state) {
  return detail::handle_of<Metric>(state.get_series({}));
}

}  // namespace

registry::registry(registry_options options) : state_(std::make_shared<detail::registry_state>(options)) {}
registry::~registry() = default;

counter registry::get_counter(const description& what) {
  require_labels(what, false);
  return the_one<counter>(state_->get_family(kind::counter, what));
}

gauge registry::get_gauge(const description& what) {
  require_labels(what, false);
  return the_one<gauge>(state_->get_family(kind::gauge, what));
}

histogram registry::get_histogram(const description& what, const std::vector<double>& bounds) {
  require_labels(what, false);
  return the_one<histogram>(state_->get_family(kind::histogram, what, bounds));
}

family<counter> registry::get_counters(const description& what) {
  require_labels(what, true);
  return family<counter>(&state_->get_family(kind::counter, what));
}

family<gauge> registry::get_gauges(const description& what) {
  require_labels(what, true);
  return family<gauge>(&state_->get_family(kind::gauge, what));
}

family<histogram> registry::get_histograms(const description& what, const std::vector<double>& bounds) {
  require_labels(what, true);
  return family<histogram>(&state_->get_family(kind::histogram, what, bounds));
}

source registry::add_source(std::vector<given_family> families, unique_function<void(readings&)> read) {
  return {state_, &state_->add_source(std::move(families), std::move(read))};
}

snapshot registry::take_snapshot() const { return state_->read(); }

registry& default_registry() {
  static registry& of_the_process = *new registry;  // outlives whatever counts in static destructors
  return of_the_process;
}

}  // namespace weft::inline v1::metrics
