#include "notes.hpp"

#include <utility>

#include <weft/log/log.hpp>

#include "user.hpp"

namespace notes {

void store::add(std::string text) {
  auto added = threads_.submit([this, text = std::move(text)] {
    const std::lock_guard lock(mutex_);
    notes_[user.require()].push_back(text);
    weft::log::info("note stored", {{"text", text}});
  });
  added.get();
}

std::vector<std::string> store::list() {
  auto found = threads_.submit([this] {
    const std::lock_guard lock(mutex_);
    const auto& mine = notes_[user.require()];
    weft::log::info("notes read", {{"count", mine.size()}});
    return mine;
  });
  return found.get();
}

}  // namespace notes
