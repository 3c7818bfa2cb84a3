#include "service/otlp_sender.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/version.hpp>
#include <weft/http/header.hpp>

#include "service/otlp_json.hpp"

namespace weft::inline v1::detail {

namespace {

struct place {
  std::string server;
  std::string target;
};

place read_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos)
    throw error(errc::invalid_argument, "otlp: \"" + std::string(url) + "\" is no URL");
  const std::size_t path = std::min(url.find('/', scheme + 3), url.size());
  const std::string_view target = url.substr(path, url.find('#', path) - path);
  return {std::string(url.substr(0, path)), target.empty() ? "/" : std::string(target)};
}

http::client_options client_options_of(const otlp_options& options) {
  http::client_options made = options.client;
  made.timeout = options.timeout;
  made.connections_max = 1;
  made.redirects_max = 0;
  made.limits.body_bytes_max = std::size_t{1} << 20;
  return made;
}

http::request_options request_options_of(const otlp_options& options) {
  http::request_options made;
  made.content_type = "application/json";
  made.headers = options.headers;
  const auto has_agent = std::any_of(made.headers.begin(), made.headers.end(), [](const auto& field) {
    return http::same_name(field.first, "User-Agent");
  });
  if (!has_agent) made.headers.emplace_back("User-Agent", "weft-otlp/" + std::string(version));
  made.compresses_body = options.compresses;
  return made;
}

/// What one says who could not be asked, or did not answer as HTTP wants it.
sent_spans failed_by(const error& failed) {
  const bool is_refused = failed.code() == errc::malformed || failed.code() == errc::too_large ||
                          failed.code() == errc::invalid_argument || failed.code() == errc::unsupported;
  return {.how = is_refused ? sent_spans::outcome::refused : sent_spans::outcome::later,
          .why = failed.message()};
}

}  // namespace

otlp_sender::otlp_sender(const otlp_options& options)
    : target_(read_url(options.url).target),
      with_(request_options_of(options)),
      client_(read_url(options.url).server, client_options_of(options)) {}

void otlp_sender::check(const otlp_options& options) {
  const place at = read_url(options.url);
  // The client checks the rest when it is made, and each request its fields.
  if (!at.server.starts_with("http://") && !at.server.starts_with("https://"))
    throw error(errc::invalid_argument, "otlp: \"" + options.url + "\": write http:// or https://");
}

sent_spans otlp_sender::send(const std::string& body) {
  try {
    const http::response got = client_.post(target_, body, with_);
    if (got.status() >= 200 && got.status() < 300) {
      partial_success said = read_partial_success(got.body());
      return {.how = sent_spans::outcome::taken,
              .rejected_spans = said.rejected_spans,
              .why = std::move(said.message)};
    }
    sent_spans made{.why = "the collector answers " + std::to_string(got.status()) + ' ' +
                           std::string(http::reason_phrase(got.status()))};
    const int status = got.status();
    if (status != 429 && status != 502 && status != 503 && status != 504) {
      constexpr std::size_t shown_max = 200;
      made.how = sent_spans::outcome::refused;
      made.why.append(": ").append(got.body(), 0, shown_max);
    }
    if (const auto after = got.header("Retry-After")) made.retry_after = read_retry_after(*after);
    return made;
  } catch (const error& failed) {
    return failed_by(failed);
  }
}

std::optional<std::chrono::seconds> read_retry_after(std::string_view text) {
  std::uint32_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && stop == text.data() + text.size()) return std::chrono::seconds(number);
  std::tm date{};
  const std::string whole(text);
  const char* const end = strptime(whole.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::chrono::seconds when(timegm(&date));
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_clock::now().time_since_epoch());
  return std::max(when - now, std::chrono::seconds(0));
}

}  // namespace weft::inline v1::detail
