#include <weft/log/logger.hpp>

#include <utility>

#include "log/collecting.hpp"
#include "log/routes.hpp"

namespace weft::inline v1::log {

logger::logger() noexcept {
  if (const auto* const found = detail::current_collecting()) state_ = *found;
}
logger::logger(const collector& of) noexcept : state_(of.state_) {}
logger::logger(std::nullptr_t) noexcept {}

bool logger::enabled(int number) const noexcept {
  return state_ != nullptr && detail::is_wanted(state_.get(), level_from_number(number), number);
}

void logger::add_log(int number, const text& what, arguments fields) const noexcept {
  if (state_ != nullptr) detail::write_to(state_.get(), level_from_number(number), number, what, fields);
}

log::timer logger::timer(std::string_view name) const { return {*this, name}; }

void logger::data(arguments values) const noexcept {
  try {
    for (const auto& each : values) {
      if (state_ != nullptr) state_->add_data(each.to_field());
    }
  } catch (...) {
    detail::count_lost();
  }
}

void logger::merge(collection more) const noexcept {
  if (state_ != nullptr) detail::emit_to(state_.get(), std::move(more));
}

}  // namespace weft::inline v1::log
