#include <weft/http/request.hpp>

#include <weft/http/response.hpp>
#include <weft/http/status_error.hpp>

#include "http/transport.hpp"

namespace weft::inline v1::http {

namespace detail {

void throw_no_parameter(std::string_view name) {
  throw error(errc::misuse, "http: the route has no parameter {" + std::string(name) + "}");
}

void throw_bad_parameter(std::string_view name, std::string_view text) {
  constexpr std::size_t shown_max = 64;
  throw status_error(400, "parameter " + std::string(name) + ": \"" + std::string(text.substr(0, shown_max)) +
                              "\" is not a value of the kind wanted");
}

void throw_bad_body(const error& unreadable) { throw status_error(400, "the body: " + unreadable.message()); }

}  // namespace detail

std::string_view request::param_text(std::string_view name) const {
  for (const detail::path_parameter& one : parts_.parameters) {
    if (one.name == name) return one.value;
  }
  detail::throw_no_parameter(name);
}

std::optional<std::string> request::query_text(std::string_view name) const {
  return form_value(parts_.query, name);
}

std::string_view request::read_body() const {
  if (parts_.source == nullptr) throw error(errc::misuse, "http: the request came over no connection");
  return parts_.source->next_piece();
}

weft::services& request::services() const {
  if (parts_.services == nullptr)
    throw error(errc::misuse, "http: the server has no services; name them in server_options::services");
  return parts_.services->get();
}

net::endpoint request::peer() const {
  if (parts_.connection == nullptr) throw error(errc::misuse, "http: the request came over no connection");
  return parts_.connection->connection().socket().peer_address();
}

const net::tls::session* request::tls() const noexcept {
  const net::tls::stream* const secure =
      parts_.connection == nullptr ? nullptr : parts_.connection->connection().tls();
  return secure == nullptr ? nullptr : &secure->session();
}

}  // namespace weft::inline v1::http
