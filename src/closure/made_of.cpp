#include <weft/closure/made_of.hpp>

#include <algorithm>

#include "closure/entries.hpp"

namespace weft::inline v1::detail {
namespace {

std::string text_of(closure_entry& entry) {
  const auto* const known = cached_identity(entry);
  return known->name.empty() && known->build_id.empty() ? std::string() : known->text();
}

}  // namespace

std::vector<std::string> identities_made_of(argument_reader function) {
  std::vector<std::string> found;
  for (auto* const entry : all_entries()) {
    if (entry->decode != function) continue;
    if (auto text = text_of(*entry); !text.empty()) found.push_back(std::move(text));
  }
  return found;
}

std::vector<std::string> identities_made_like(std::string_view identity) {
  const auto all = all_entries();
  const auto same =
      std::find_if(all.begin(), all.end(), [&](closure_entry* entry) { return text_of(*entry) == identity; });
  return same == all.end() ? std::vector<std::string>() : identities_made_of((*same)->decode);
}

}  // namespace weft::inline v1::detail
