#include <weft/jobs/time_zone.hpp>

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <algorithm>
#include <cctype>

#include <weft/core/error.hpp>

// The only file that knows cctz.

namespace weft::inline v1::jobs {

namespace detail {

/// A zone of cctz, which keeps the rules of each for ever.
class zone_rules {
 public:
  zone_rules(std::string zone_name, cctz::time_zone of) : name(std::move(zone_name)), zone(of) {}
  const std::string name;
  const cctz::time_zone zone;
};

}  // namespace detail

namespace {

using std::chrono::local_seconds;
using std::chrono::sys_seconds;

constexpr std::size_t zone_name_bytes_max = 64;
const cctz::civil_second civil_epoch(1970, 1, 1);

local_seconds to_local(const cctz::civil_second& civil) {
  return local_seconds(std::chrono::seconds(civil - civil_epoch));
}

// What else cctz and the database know are paths, the machine's own zone, offsets, and zones that count leap
// seconds: right/Europe/Berlin. The names of zones begin with a capital letter.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > zone_name_bytes_max ||
      std::isupper(static_cast<unsigned char>(name[0])) == 0) {
    return false;
  }
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  };
  return std::all_of(name.begin(), name.end(), fits) && name.find("//") == std::string_view::npos &&
         name.back() != '/';
}

std::shared_ptr<const detail::zone_rules> load(std::string_view name) {
  if (!is_zone_name(name)) {
    throw error(errc::invalid_argument,
                "time zone: it is named as \"Europe/Berlin\" or \"UTC\" are, with at most 64 characters");
  }
  std::string text(name);
  cctz::time_zone zone;
  if (!cctz::load_time_zone(text, &zone)) {
    throw error(errc::not_found,
                "time zone \"" + text +
                    "\": the database of this system does not have it; is the name right, and is "
                    "tzdata installed?");
  }
  return std::make_shared<const detail::zone_rules>(std::move(text), zone);
}

}  // namespace

time_zone::time_zone() {
  static const auto utc = std::make_shared<const detail::zone_rules>("UTC", cctz::utc_time_zone());
  rules_ = utc;
}

time_zone::time_zone(std::string_view name) : rules_(load(name)) {}

const std::string& time_zone::name() const noexcept { return rules_->name; }

time_zone::period time_zone::period_at(sys_seconds at) const {
  period found{.offset = std::chrono::seconds(rules_->zone.lookup(at).offset)};
  cctz::time_zone::civil_transition change;
  if (rules_->zone.next_transition(at, &change)) {
    found.until = sys_seconds(to_local(change.from).time_since_epoch() - found.offset);
  }
  return found;
}

local_seconds time_zone::local(sys_seconds at) const { return to_local(rules_->zone.lookup(at).cs); }

sys_seconds time_zone::first_moment_of(local_seconds shown) const {
  const auto found = rules_->zone.lookup(civil_epoch + shown.time_since_epoch().count());
  return found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
}

}  // namespace weft::inline v1::jobs
