#include "http/proxy.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

#include <weft/core/error.hpp>
#include <weft/http/request.hpp>
#include <weft/wire/base64.hpp>

#include "http/byte_buffer.hpp"
#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

namespace {

/// A variable of the environment, in small letters or else in capitals.
std::string variable(const char* small, const char* capital) {
  const char* value = std::getenv(small);
  if ((value == nullptr || *value == '\0') && capital != nullptr) value = std::getenv(capital);
  return value == nullptr ? std::string() : std::string(value);
}

/// Is the host one of "a.example,.example.org,*"? A name stands for the names below it, too.
bool is_listed(std::string_view host, std::string_view list) {
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    while (one.starts_with(' ') || one.starts_with('.')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty()) continue;
    if (one == "*" || same_name(host, one)) return true;
    if (host.size() > one.size() && same_name(host.substr(host.size() - one.size()), one) &&
        host[host.size() - one.size() - 1] == '.')
      return true;
  }
  return false;
}

/// HTTP_PROXY is not read: what stands in front of a CGI program sets it from a client's header.
std::string proxy_in_environment(const origin& to) {
  if (is_listed(to.name, variable("no_proxy", "NO_PROXY"))) return {};
  return to.secure ? variable("https_proxy", "HTTPS_PROXY") : variable("http_proxy", nullptr);
}

}  // namespace

proxy read_proxy(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  std::string_view rest = text;
  if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  const std::size_t at = rest.rfind('@');
  const std::string_view user = at == std::string_view::npos ? std::string_view() : rest.substr(0, at);
  if (at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::optional<std::string> decoded = percent_decode(user);
  if (!decoded || rest.empty() || rest.find('/') != std::string_view::npos)
    throw error(errc::invalid_argument, "http: proxy \"" + std::string(rest) +
                                            "\": write http://host:port, or http://user:password@host:port");
  proxy made{.server = origin_of(rest, false).server};
  if (!decoded->empty())
    made.authorization = "Basic " + wire::to_base64(std::as_bytes(std::span<const char>(*decoded)));
  return made;
}

std::optional<proxy> proxy_for(const origin& to, const std::string& named, bool from_environment) {
  if (to.server.is_unix()) return std::nullopt;
  const std::string url = !named.empty() || !from_environment ? named : proxy_in_environment(to);
  if (url.empty()) return std::nullopt;
  return read_proxy(url);
}

net::stream tunnel_to(const origin& to, const proxy& by, steady_time until) {
  const auto throw_because = [&](errc code, const std::string& why) {
    throw error(code, "the proxy at " + by.server.text() + " " + why);
  };
  net::stream made = net::stream::connect(by.server, until);
  const std::string where = to.server.text();
  std::string head = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n";
  if (!by.authorization.empty()) head += "Proxy-Authorization: " + by.authorization + "\r\n";
  head += "\r\n";
  const std::string_view all = head;
  if (!made.write_all_until({&all, 1}, until)) throw_because(errc::timed_out, "does not read");
  byte_buffer buffer;
  response_parser parser{limits{}};
  while (true) {
    parser.restart("CONNECT");  // the buffer moves only between attempts
    const progress parsed = parser.advance(buffer.readable());
    if (parsed == progress::done && parser.head().status >= 200) break;
    if (parsed == progress::done) buffer.consume(parser.head_bytes());
    if (parsed == progress::done) continue;
    if (parsed == progress::refused)
      throw_because(errc::malformed, std::string("answers with ") + parser.why_refused().why);
    const auto room = buffer.room();
    const std::optional<std::size_t> count = made.read_some_until(room, until);
    if (!count) throw_because(errc::timed_out, "does not answer in time");
    if (*count == 0) throw_because(errc::unavailable, "closed the connection without an answer");
    buffer.commit(*count);
  }
  const int status = parser.head().status;
  if (status >= 300)
    throw_because(errc::refused,
                  "answers " + std::to_string(status) + " " + std::string(reason_phrase(status)));
  if (buffer.size() > parser.head_bytes()) throw_because(errc::malformed, "sends more than an answer");
  return made;
}

}  // namespace weft::inline v1::http::detail
