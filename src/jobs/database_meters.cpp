#include "jobs/database_meters.hpp"

#include <weft/metrics/registry.hpp>

namespace weft::inline v1::jobs {
namespace {

bool is_the_users(errc code) noexcept {
  switch (code) {
    case errc::not_found:
    case errc::refused:
    case errc::already_exists:
    case errc::invalid_argument:
    case errc::misuse:
    case errc::unsupported:
    case errc::too_large:
      return true;
    default:
      return false;
  }
}

}  // namespace

void count_database_error(std::string_view database, errc code) noexcept {
  if (is_the_users(code)) return;
  try {
    static const auto errors = metrics::default_registry().get_counters(
        {.name = "weft_jobs_database_errors_total",
         .help = "Errors of databases, those that were tried again included",
         .labels = {"database", "code"}});
    errors.with({database, to_string(code)}).add();
  } catch (...) {  // no memory for a figure: the error itself is what counts
  }
}

}  // namespace weft::inline v1::jobs
