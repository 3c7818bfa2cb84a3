#include <weft/metrics/source.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/task_block.hpp>

#include "metrics/registry_state.hpp"
#include "metrics/source_entry.hpp"

namespace weft::inline v1::metrics {

namespace detail {
namespace {

constexpr const char inside_source[] = "a source of metrics";

/// A source's function runs under the lock of the registry: a fiber must not be switched away in it.
class waits_forbidden {
 public:
  waits_forbidden() : task_(weft::detail::task_block::current()), former_(task_.no_wait) {
    task_.no_wait = inside_source;
  }
  waits_forbidden(const waits_forbidden&) = delete;
  waits_forbidden& operator=(const waits_forbidden&) = delete;
  ~waits_forbidden() { task_.no_wait = former_; }

 private:
  weft::detail::task_block& task_;
  const char* former_;
};

bool is_inside_source() noexcept { return weft::detail::task_block::current().no_wait == inside_source; }

/// It would wait for its own end.
void refuse_end_inside_source() noexcept {
  if (!is_inside_source()) return;
  std::fputs("weft: metrics: a source is ended by a source, for which a snapshot is waiting\n", stderr);
  std::abort();
}

}  // namespace

void require_outside_source(const char* what) {
  if (!is_inside_source()) return;
  throw error(errc::misuse, "metrics::registry::" + std::string(what) +
                                ": called by a source, for which a snapshot is waiting; do it elsewhere");
}

void source_entry::read(given_by_family& given) {
  const waits_forbidden here;
  source_values values(*this, given);
  readings into(values);
  read_(into);
}

family_state& source_entry::get_family(std::string_view name) const {
  for (family_state* const one : families_) {
    if (one->what().name == name) return *one;
  }
  throw error(errc::misuse, "metrics: a source gave a value for \"" + std::string(name) +
                                "\", which is not among the families it was added with");
}

void source_values::add(std::string_view name, double value, std::span<const std::string_view> label_values) {
  family_state& family = from_.get_family(name);
  label_set place = family.clean(label_values);
  if (family.what_kind() == kind::counter && (!std::isfinite(value) || value < 0)) {
    family.note_refused_value();
    return;
  }
  given_[&family][std::move(place)] += value;
}

}  // namespace detail

void readings::add(std::string_view name, double value, std::span<const std::string_view> label_values) {
  values_->add(name, value, label_values);
}

source& source::operator=(source&& other) noexcept {
  if (this != &other) {
    end();
    registry_ = std::move(other.registry_);
    entry_ = std::exchange(other.entry_, nullptr);
  }
  return *this;
}

void source::end() noexcept {
  if (detail::source_entry* const entry = std::exchange(entry_, nullptr)) {
    detail::refuse_end_inside_source();
    if (const auto registry = registry_.lock()) registry->remove_source(*entry);
  }
}

}  // namespace weft::inline v1::metrics
