#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/metrics/registry.hpp>

#include "metrics/family_state.hpp"
#include "metrics/source_entry.hpp"

namespace weft::inline v1::metrics::detail {

/// What is behind a registry.
///
/// Two locks. families_mutex_ is for finding and making families; it is held for a look-up, and for reading
/// all cells in a snapshot. sources_mutex_ is held while sources run, so that the end of a source waits for
/// its function. A source may register, so sources_mutex_ comes first; counting takes neither.
class registry_state {
 public:
  explicit registry_state(registry_options options) : options_(options) {}

  /// The family of that description, made if need be. Throws as `registry` says.
  family_state& get_family(kind what_kind, const description& what, const std::vector<double>& bounds = {});

  source_entry& add_source(std::vector<given_family> families, unique_function<void(readings&)> read);
  void remove_source(source_entry& entry) noexcept;
  snapshot read();

 private:
  void call_sources(given_by_family& given, std::vector<std::string>& problems);
  void read_families(snapshot& into, const given_by_family& given);
  family_snapshot own_counter(const char* name, const char* help,
                              std::uint64_t (family_state::*count)() const);

  const registry_options options_;
  std::mutex families_mutex_;
  /// By base name. Guarded by families_mutex_; the families are not, and stay.
  std::map<std::string, std::unique_ptr<family_state>, std::less<>> families_;
  std::mutex sources_mutex_;
  std::list<source_entry> sources_;  // guarded by sources_mutex_
  std::uint64_t source_errors_ = 0;  // guarded by sources_mutex_
};

}  // namespace weft::inline v1::metrics::detail
