#include <weft/core/error.hpp>

#include <array>
#include <cerrno>
#include <system_error>

namespace weft::inline v1 {
namespace {

struct code_entry {
  errc code;
  std::string_view name;
  bool retryable;
};

constexpr std::array<code_entry, 26> codes{{
    {errc::unknown, "unknown", true},
    {errc::invalid_argument, "invalid_argument", false},
    {errc::not_found, "not_found", false},
    {errc::already_exists, "already_exists", false},
    {errc::refused, "refused", false},
    {errc::unsupported, "unsupported", false},
    {errc::malformed, "malformed", false},
    {errc::bad_signature, "bad_signature", false},
    {errc::too_large, "too_large", false},
    {errc::resource_exhausted, "resource_exhausted", true},
    {errc::unavailable, "unavailable", true},
    {errc::busy, "busy", true},
    {errc::timed_out, "timed_out", true},
    {errc::deadline_exceeded, "deadline_exceeded", false},
    {errc::closed, "closed", false},
    {errc::cancelled, "cancelled", false},
    {errc::broken_promise, "broken_promise", false},
    {errc::io_error, "io_error", true},
    {errc::storage_full, "storage_full", true},
    {errc::corrupt, "corrupt", false},
    {errc::worker_died, "worker_died", true},
    {errc::exited, "exited", false},
    {errc::misuse, "misuse", false},
    {errc::no_scheduler, "no_scheduler", false},
    {errc::deadlock, "deadlock", false},
    {errc::internal, "internal", false},
}};

errc code_of_errno(int errno_value) noexcept {
  switch (errno_value) {
    case ENOENT:
      return errc::not_found;
    case EEXIST:
      return errc::already_exists;
    case EADDRINUSE:
      return errc::busy;
    case EACCES:
    case EPERM:
    case EROFS:
      return errc::refused;
    case EINVAL:
      return errc::invalid_argument;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return errc::resource_exhausted;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return errc::unavailable;
    case ETIMEDOUT:
      return errc::timed_out;
    case ENOSPC:
    case EDQUOT:
      return errc::storage_full;
    case ENOSYS:
    case EOPNOTSUPP:
      return errc::unsupported;
    default:
      return errc::io_error;
  }
}

}  // namespace

std::string_view to_string(errc code) noexcept {
  for (const auto& entry : codes) {
    if (entry.code == code) return entry.name;
  }
  return "unknown";
}

errc errc_from_string(std::string_view name) noexcept {
  for (const auto& entry : codes) {
    if (entry.name == name) return entry.code;
  }
  return errc::unknown;
}

bool is_retryable(errc code) noexcept {
  for (const auto& entry : codes) {
    if (entry.code == code) return entry.retryable;
  }
  return true;
}

error system_error(std::string_view tried, int errno_value) {
  std::string message(tried);
  message += ": ";
  message += std::generic_category().message(errno_value);
  return error(code_of_errno(errno_value), std::move(message));
}

}  // namespace weft::inline v1
