#include <weft/jobs/job.hpp>

#include <array>
#include <charconv>

namespace weft::inline v1::jobs {
namespace {

constexpr std::array<std::string_view, 8> state_names{"scheduled", "ready",     "running",     "done",
                                                      "dead",      "cancelled", "quarantined", "blocked"};
constexpr std::array<std::string_view, 6> outcome_names{"done",    "failed",    "delayed",
                                                        "crashed", "cancelled", "refused"};

template <typename Enum, std::size_t Count>
std::string_view name_in(const std::array<std::string_view, Count>& names, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : std::string_view("unknown");
}

template <typename Enum, std::size_t Count>
std::optional<Enum> value_in(const std::array<std::string_view, Count>& names,
                             std::string_view name) noexcept {
  for (std::size_t index = 0; index < Count; ++index) {
    if (names[index] == name) return static_cast<Enum>(index);
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(job_id id) { return std::to_string(static_cast<std::int64_t>(id)); }
std::string to_string(worker_id id) { return std::to_string(static_cast<std::int64_t>(id)); }

std::optional<job_id> job_id_from_string(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || number <= 0) return std::nullopt;
  return job_id{number};
}

std::string_view to_string(job_state state) noexcept { return name_in(state_names, state); }
std::optional<job_state> job_state_from_string(std::string_view name) noexcept {
  return value_in<job_state>(state_names, name);
}

std::string_view to_string(attempt_outcome outcome) noexcept { return name_in(outcome_names, outcome); }
std::optional<attempt_outcome> attempt_outcome_from_string(std::string_view name) noexcept {
  return value_in<attempt_outcome>(outcome_names, name);
}

}  // namespace weft::inline v1::jobs
