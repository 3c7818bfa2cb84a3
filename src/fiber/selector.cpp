#include <weft/fiber/selector.hpp>

#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1 {

detail::select_case& selector::at(std::size_t place) const {
  if (place < cases_.size()) return *cases_[place];
  throw error(errc::invalid_argument, "selector: there is no case " + std::to_string(place) + ", only " +
                                          std::to_string(cases_.size()) + " were added");
}

void selector::prepare() {
  for (const auto& one : holders_) {
    if (one->of().enabled()) one->prepare();
  }
}

std::optional<std::size_t> selector::call(std::optional<std::size_t> chosen) {
  if (chosen) holders_[*chosen]->finish();
  return chosen;
}

std::optional<std::size_t> selector::wait_until(steady_time until) {
  prepare();
  return call(detail::select_among(cases_, until));
}

std::optional<std::size_t> selector::try_wait() {
  prepare();
  return call(detail::select_now(cases_));
}

}  // namespace weft::inline v1
