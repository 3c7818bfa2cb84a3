#include "jobs/limit_turn.hpp"

namespace weft::inline v1::jobs {

// FNV-1a, folded; rows name limits by it, so it never changes.
std::int64_t turn_of_limit(std::string_view key) noexcept {
  if (key.empty()) return 0;
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char byte : key) hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
  const auto folded = static_cast<std::int64_t>((hash ^ (hash >> 32U)) & 0x7fffffffU);
  return folded == 0 ? 1 : folded;
}

}  // namespace weft::inline v1::jobs
