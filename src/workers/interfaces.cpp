#include <weft/workers/interfaces.hpp>

#include <weft/core/error.hpp>

namespace weft::inline v1::workers {

const interfaces::handler* interfaces::find(std::string_view name) const noexcept {
  const auto at = handlers_.find(name);
  return at == handlers_.end() ? nullptr : &at->second;
}

void interfaces::add_handler(std::string name, handler what) {
  const auto [at, added] = handlers_.try_emplace(std::move(name), std::move(what));
  if (!added)
    throw error(errc::already_exists,
                "workers: add \"" + at->first + "\" to the interface: it is there already");
}

}  // namespace weft::inline v1::workers
