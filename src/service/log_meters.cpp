#include "service/log_meters.hpp"

#include <weft/log/sink.hpp>
#include <weft/metrics/registry.hpp>

namespace weft::inline v1::ops::detail {
namespace {

constexpr const char* dropped_name = "weft_log_dropped_total";

}  // namespace

void show_log() {
  static const metrics::source shown = metrics::default_registry().add_source(
      {{.what = {.name = dropped_name, .help = "Log records that were not written"},
        .kind = metrics::kind::counter}},
      [](metrics::readings& to) { to.add(dropped_name, static_cast<double>(log::dropped())); });
  static_cast<void>(shown);
}

}  // namespace weft::inline v1::ops::detail
