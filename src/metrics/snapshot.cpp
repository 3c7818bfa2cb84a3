#include <weft/metrics/snapshot.hpp>

#include <algorithm>

namespace weft::inline v1::metrics {

const family_snapshot* snapshot::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(families.begin(), families.end(), [&](const auto& one) { return one.name == name; });
  return found == families.end() ? nullptr : &*found;
}

const sample* snapshot::find(std::string_view name,
                             std::initializer_list<std::string_view> label_values) const noexcept {
  const family_snapshot* const family = find(name);
  if (family == nullptr) return nullptr;
  const auto found = std::find_if(family->samples.begin(), family->samples.end(), [&](const sample& one) {
    return std::equal(one.label_values.begin(), one.label_values.end(), label_values.begin(),
                      label_values.end());
  });
  return found == family->samples.end() ? nullptr : &*found;
}

}  // namespace weft::inline v1::metrics
