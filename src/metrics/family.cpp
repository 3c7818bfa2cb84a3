#include <weft/metrics/family.hpp>

#include "metrics/family_state.hpp"

namespace weft::inline v1::metrics {

template <typename Metric>
Metric family<Metric>::with(std::span<const std::string_view> values) const {
  return state_ == nullptr ? Metric() : detail::handle_of<Metric>(state_->get_series(values));
}

template class family<counter>;
template class family<gauge>;
template class family<histogram>;

}  // namespace weft::inline v1::metrics
