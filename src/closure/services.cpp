#include <weft/closure/services.hpp>

#include <algorithm>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>

#include "closure/making_services.hpp"
#include "closure/services_state.hpp"

namespace weft::inline v1 {
namespace {

std::string_view to_string(service_scope scope) {
  switch (scope) {
    case service_scope::singleton:
      return "singleton";
    case service_scope::per_task:
      return "per_task";
    case service_scope::per_request:
      return "per_request";
  }
  return "singleton";
}

std::string shown(std::string_view type_name, std::string_view name) {
  std::string text(type_name);
  if (!name.empty()) text.append(" \"").append(name).append("\"");
  return text;
}

std::string missing_service(const detail::requirement& what) {
  std::string text =
      "no service " + shown(what.type_name, what.name) + " was added; add it with services::add<";
  text.append(what.type_name).append(">");
  return text + (what.name.empty() ? "(factory)" : "(\"" + std::string(what.name) + "\", factory)");
}

std::string narrow_scope(const std::string& name, service_scope scope) {
  return "the service " + name + " is " + std::string(to_string(scope)) +
         (scope == service_scope::per_request ? ", and this is not part of a request"
                                              : ", and this is not part of a task");
}

std::string missing_parameter(std::string_view name) {
  return "no parameter \"" + std::string(name) + "\" was set; set it with services::set(\"" +
         std::string(name) + "\", value)";
}

}  // namespace

services::services() : state_(std::make_unique<state>()) {
  state_->self = this;
  state_->board = std::make_shared<detail::making_board>();
}

services::services(services& parent, service_scope scope) : state_(std::make_unique<state>()) {
  if (scope == service_scope::singleton) {
    throw error(errc::misuse,
                "services: a child is made for a task or a request, so per_task or per_request");
  }
  state_->self = this;
  state_->parent = parent.state_.get();
  state_->scope = scope;
  state_->board = parent.state_->board;
}

services::~services() {
  auto& made = state_->made;
  state_->slots.clear();
  while (!made.empty()) made.pop_back();
}

service_scope services::scope() const noexcept { return state_->scope; }

void services::add_recipe(recipe added, void* object) {
  const std::string name = shown(added.type_name, added.name);
  state::key key(added.type, added.name);
  const std::lock_guard lock(state_->mutex);
  const auto [place, fresh] = state_->recipes.try_emplace(std::move(key));
  if (!fresh) throw error(errc::already_exists, "services: add " + name + ": this container has one");
  place->second = {std::move(added), name, object};
}

services::state::found_recipe services::state::find(const void* type, std::string_view name) {
  const key wanted(type, name);
  for (state* at = this; at != nullptr; at = at->parent) {
    const std::lock_guard lock(at->mutex);
    const auto found = at->recipes.find(wanted);
    if (found != at->recipes.end()) return {at, &found->second};
  }
  return {};
}

services::state* services::state::host_of(const found_recipe& found) {
  const service_scope wanted = found.how->how.scope;
  if (wanted == service_scope::singleton) return found.owner;
  for (state* at = this; at != nullptr; at = at->parent) {
    if (at->scope >= wanted) return at;
    if (at == found.owner) return nullptr;
  }
  return nullptr;
}

detail::service_slot& services::state::slot_for(const kept_recipe& how) {
  const std::lock_guard lock(mutex);
  auto& slot = slots[&how];
  slot.name = &how.shown;
  return slot;
}

void* services::get_object(const detail::requirement& what) {
  const auto found = state_->find(what.type, what.name);
  if (found.how == nullptr) throw error(errc::not_found, "services: " + missing_service(what));
  if (found.how->provided != nullptr) return found.how->provided;
  if (found.how->how.is_expected) {
    throw error(errc::refused,
                "services: " + found.how->shown + " is there only while a run that provides it lasts");
  }
  state* const host = state_->host_of(found);
  if (host == nullptr) {
    throw error(errc::refused, "services: " + narrow_scope(found.how->shown, found.how->how.scope));
  }
  auto& slot = host->slot_for(*found.how);
  if (void* const object = slot.object.load(std::memory_order_acquire)) return object;
  return detail::make_once(*host->board, slot, [&] {
    const auto make = [&] { return found.how->how.make(*host->self); };
    auto made = found.how->how.scope == service_scope::singleton ? context().run(make) : make();
    if (made == nullptr)
      throw error(errc::invalid_argument, "services: the factory of " + found.how->shown + " returned null");
    const std::lock_guard lock(host->mutex);
    host->made.push_back(made);
    return made;
  });
}

bool services::knows(const detail::requirement& what) const {
  const auto found = state_->find(what.type, what.name);
  if (found.how == nullptr || found.how->how.is_expected) return false;
  return found.how->provided != nullptr || state_->host_of(found) != nullptr;
}

void services::set_encoded(std::string name, std::string encoded) {
  const std::lock_guard lock(state_->mutex);
  state_->parameters.insert_or_assign(std::move(name), std::move(encoded));
}

std::string services::find_encoded(std::string_view name) const {
  for (const state* at = state_.get(); at != nullptr; at = at->parent) {
    const std::lock_guard lock(at->mutex);
    const auto found = at->parameters.find(name);
    if (found != at->parameters.end()) return found->second;
  }
  throw error(errc::not_found, "services: " + missing_parameter(name));
}

void services::throw_unfit_parameter(std::string_view name, const error& problem) {
  throw error(errc::malformed, "services: parameter \"" + std::string(name) + "\": " + problem.message());
}

void services::throw_other_scope(std::string_view type_name) {
  throw error(errc::invalid_argument, "services: add " + std::string(type_name) +
                                          ": its type says another scope (weft_scope); leave the option out");
}

std::vector<std::string> services::missing(const std::vector<detail::requirement>& requirements) const {
  std::vector<std::string> problems;
  std::vector<const state::kept_recipe*> seen;
  const auto walk = [&](const auto& self, state& from, const std::vector<detail::requirement>& wanted,
                        const std::string& by) -> void {
    for (const auto& what : wanted) {
      if (what.what == detail::requirement::kind::parameter) {
        try {
          (void)from.self->find_encoded(what.name);
        } catch (const error&) {
          problems.push_back(by + missing_parameter(what.name));
        }
        continue;
      }
      const auto found = from.find(what.type, what.name);
      if (found.how == nullptr) {
        problems.push_back(by + missing_service(what));
        continue;
      }
      if (found.how->provided != nullptr || found.how->how.is_expected) continue;
      state* const host = from.host_of(found);
      if (host == nullptr) {
        problems.push_back(by + narrow_scope(found.how->shown, found.how->how.scope));
        continue;
      }
      if (std::find(seen.begin(), seen.end(), found.how) != seen.end()) continue;
      seen.push_back(found.how);
      self(self, *host, found.how->how.needs, "for " + found.how->shown + ": ");
    }
  };
  walk(walk, *state_, requirements, "");
  return problems;
}

}  // namespace weft::inline v1
