#include <weft/http/status_error.hpp>

namespace weft::inline v1::http {

namespace {

errc code_of(int status) noexcept {
  switch (status) {
    case 401:
    case 403:
      return errc::refused;
    case 404:
    case 410:
      return errc::not_found;
    case 408:
    case 504:
      return errc::timed_out;
    case 409:
      return errc::already_exists;
    case 413:
    case 414:
    case 431:
      return errc::too_large;
    case 429:
      return errc::resource_exhausted;
    case 501:
      return errc::unsupported;
    case 502:
    case 503:
      return errc::unavailable;
    default:
      return status < 500 ? errc::invalid_argument : errc::internal;
  }
}

}  // namespace

status_error::status_error(int status, std::string message)
    : error(code_of(status), std::move(message)), status_(status >= 400 && status <= 599 ? status : 500) {}

status_error& status_error::header(std::string_view name, std::string_view value) {
  headers_.emplace_back(name, value);
  return *this;
}

}  // namespace weft::inline v1::http
