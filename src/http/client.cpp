#include <weft/http/client.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/net/connection_pool.hpp>
#include <weft/net/endpoint.hpp>

#include "http/bound_until.hpp"
#include "http/client_link.hpp"
#include "http/compression/body_codec.hpp"
#include "http/compression/encoding.hpp"
#include "http/proxy.hpp"
#include "http/redirect.hpp"
#include "http/request_head.hpp"
#include "http/response_access.hpp"
#include "http/url.hpp"

namespace weft::inline v1::http {

namespace {

using detail::bound_until;
using detail::client_link;
using link_pool = net::connection_pool<client_link>;

detail::origin read_server(std::string_view url) {
  if (url.starts_with("unix:"))
    return {.secure = false, .server = net::endpoint::parse(url), .authority = "localhost", .name = {}};
  detail::url read = detail::read_url(url, "http", "http: client for");
  if (read.target != "/")
    throw error(errc::invalid_argument, "http: client for \"" + std::string(url) + "\": without a path");
  return std::move(read.origin);
}

bool is_repeatable(std::string_view method) noexcept {
  for (const std::string_view one : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    if (method == one) return true;
  }
  return false;
}

/// Errors say what was tried, on what.
[[noreturn]] void throw_told(const error& failed, std::string_view method, const std::string& where) {
  throw error(failed.code(), "http: " + std::string(method) + " " + where + ": " + failed.message());
}

bool has_field(const request_options& options, std::string_view name) noexcept {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [&](const auto& field) { return same_name(field.first, name); });
}

/// Is the answer decoded here? Who asks for an encoding, or for a part of what is encoded, does that himself.
bool takes_compressed(const client_options& all, const request_options& options) noexcept {
  return all.decompresses && !has_field(options, "Accept-Encoding") && !has_field(options, "Range");
}

std::string place_text(std::string_view target, const detail::origin& at) {
  constexpr std::size_t shown_max = 200;
  return std::string(target.substr(0, shown_max)) + " at " + at.text();
}

}  // namespace

/// A link in use, until the response was read.
class streamed_response::impl {
 public:
  impl(link_pool::lease lease, std::unique_ptr<client_link> own, decompression_limits bounds,
       steady_time until)
      : lease_(std::move(lease)), own_(std::move(own)), bounds_(bounds), until_(until) {}
  ~impl() {
    if (lease_) lease_.discard();  // not read to its end
  }

  client_link& link() noexcept { return own_ ? *own_ : *lease_; }
  void take_head(std::string method, std::string where, bool decodes) {
    method_ = std::move(method);
    where_ = std::move(where);
    status_ = link().head().status;
    for (const http::header& field : link().head().fields)
      fields_.append(field.name).append(": ").append(field.value).append("\r\n");
    if (!decodes || link().head().body == detail::framing::none) return;
    const auto coding = detail::coding_of(link().head().fields);
    is_readable_ = coding.has_value();
    if (coding && !coding->empty()) decoder_.emplace(*coding, bounds_);
  }
  /// Reads what is worth it, for the connection's sake; else that is closed.
  void drop_body() {
    constexpr std::size_t dropped_max = 64 * 1024;
    try {
      for (std::size_t dropped = 0; dropped < dropped_max && !over_;) dropped += read_encoded().size();
    } catch (const error&) {  // whatever is wrong with it, nobody wants it
    }
  }
  int status() const noexcept { return status_; }
  std::string& fields() noexcept { return fields_; }
  std::string& trailers() noexcept { return trailers_; }

  std::string_view read() {
    if (failed_) throw_told(*failed_, method_, where_);
    try {
      return decoder_ ? decoder_->read([this] { return read_encoded(); }) : read_readable();
    } catch (const error& failed) {
      failed_ = failed;
      throw_told(failed, method_, where_);
    }
  }

 private:
  std::string_view read_encoded() {
    if (over_) return {};
    const std::string_view piece = link().read_piece(bounds_.bytes_max, until_);
    if (piece.empty()) end();
    return piece;
  }
  std::string_view read_readable() {
    const std::string_view piece = read_encoded();
    if (!piece.empty() && !is_readable_)
      throw error(errc::unsupported,
                  "the response is in an encoding that was not asked for: " +
                      std::string(detail::find_field(fields_, "Content-Encoding").value_or("")));
    return piece;
  }
  void end() noexcept {
    over_ = true;
    trailers_ = link().take_trailers();
    if (!lease_) return;
    if (link().is_reusable()) {
      lease_.give_back();
    } else {
      lease_.discard();
    }
  }

  link_pool::lease lease_;
  std::unique_ptr<client_link> own_;  // a link to another server, which is not kept
  decompression_limits bounds_;
  steady_time until_;
  std::optional<detail::pulled_decoder> decoder_;
  bool is_readable_ = true;      // no encoding, or one that decoder_ undoes
  std::optional<error> failed_;  // what further calls throw again
  int status_ = 0;
  std::string fields_;
  std::string trailers_;
  std::string method_;
  std::string where_;
  bool over_ = false;
};

/// The connections of a client: a pool for its server. Those to others, by redirects, are not kept.
class client::impl {
 public:
  impl(std::string_view url, client_options options)
      : options_(std::move(options)),
        tls_elsewhere_(options_.tls ? std::optional(options_.tls->without_certificate()) : std::nullopt),
        origin_(read_server(url)),
        pool_([limits = options_.limits] { return std::make_unique<client_link>(limits); },
              {.name = "connections",
               .connections_max = options_.connections_max,
               .idle_max = options_.idle_timeout,
               .check_after = std::chrono::milliseconds(0)}) {}

  using response_impl = std::unique_ptr<streamed_response::impl>;

  response_impl open(std::string_view method, std::string_view target, std::string_view body,
                     const body_pieces* pieces, const request_options& options, std::size_t bytes_max) {
    const steady_time until = bound_until(options.timeout.value_or(options_.timeout));
    detail::url to{origin_, std::string(target)};
    std::string verb(method);
    request_options with = options;
    detail::packed_body packing;
    if (options.compresses_body) {
      if (has_field(options, "Content-Encoding"))
        throw_told(error(errc::invalid_argument, "the body has a Content-Encoding already"), method,
                   place_text(target, origin_));
      if (packing.pack(body, pieces)) with.headers.emplace_back("Content-Encoding", "gzip");
    }
    for (std::size_t followed = 0;; ++followed) {
      response_impl got = exchange(to, verb, body, pieces, with, bytes_max, until);
      if (options_.redirects_max == 0) return got;
      const auto next = redirected(*got, verb, to);
      if (!next || (pieces != nullptr && next->keeps_body)) return got;  // pieces cannot be had again
      if (followed == options_.redirects_max)
        throw_told(error(errc::refused, "more than " + std::to_string(followed) + " redirects"), method,
                   place_text(target, origin_));
      got->drop_body();
      const bool same_origin = next->to.origin.text() == to.origin.text();
      with = detail::options_elsewhere(with, same_origin, next->keeps_body);
      if (!next->keeps_body) {
        body = {};
        pieces = nullptr;
      }
      verb = next->method;
      to = next->to;
    }
  }

  const client_options& options() const noexcept { return options_; }
  void close_idle() {
    while (true) {
      const net::pool_statistics now = pool_.statistics();
      if (now.idle == 0 || now.leased >= options_.connections_max) return;
      pool_.get(steady_clock::now()).discard();
    }
  }
  client_statistics statistics() const {
    return {.requests = requests_.load(std::memory_order_relaxed),
            .connections = connections_.load(std::memory_order_relaxed),
            .repeated = repeated_.load(std::memory_order_relaxed),
            .idle = pool_.statistics().idle};
  }

 private:
  std::optional<detail::redirected> redirected(streamed_response::impl& got, const std::string& method,
                                               const detail::url& from) {
    try {
      return detail::redirect_of(got.status(), detail::find_field(got.fields(), "Location"), method,
                                 from.origin, from.target);
    } catch (const error& failed) {
      throw_told(failed, method, place_text(from.target, from.origin));
    }
  }

  response_impl exchange(const detail::url& to, const std::string& method, std::string_view body,
                         const body_pieces* pieces, const request_options& wanted, std::size_t bytes_max,
                         steady_time until) {
    request_options with_cookies;
    const request_options& options = add_cookies(wanted, to, with_cookies);
    detail::outgoing_request request{
        .method = method, .head = {}, .body = body, .pieces = pieces, .options = &options};
    try {
      const auto body_bytes = pieces == nullptr ? std::optional(body.size()) : std::nullopt;
      const bool decodes = takes_compressed(options_, options);
      const auto by = detail::proxy_for(to.origin, options_.proxy, options_.proxy_from_environment);
      request.head = detail::make_request_head(method, to.target, to.origin.authority, body_bytes, options,
                                               by && !to.origin.secure ? &*by : nullptr, decodes);
      requests_.fetch_add(1, std::memory_order_relaxed);
      const bool is_own = to.origin.text() == origin_.text();
      auto got = std::make_unique<streamed_response::impl>(
          is_own ? pool_.get(until) : link_pool::lease(),
          is_own ? nullptr : std::make_unique<client_link>(options_.limits),
          decompression_limits{.bytes_max = bytes_max, .ratio_max = options_.decompression_ratio_max}, until);
      begin(got->link(), to.origin, by, request, until);
      got->take_head(method, place_text(to.target, to.origin), decodes);
      take_cookies(*got, to);
      return got;
    } catch (const error& failed) {
      if (request.pieces_failed) throw;
      throw_told(failed, method, place_text(to.target, to.origin));
    }
  }

  /// `options`, or, with the cookies of the jar, `room`.
  const request_options& add_cookies(const request_options& options, const detail::url& to,
                                     request_options& room) const {
    if (options_.cookies == nullptr || has_field(options, "Cookie")) return options;
    std::string cookies = options_.cookies->cookies_for(detail::cookie_place_of(to));
    if (cookies.empty()) return options;
    room = options;
    room.headers.emplace_back("Cookie", std::move(cookies));
    return room;
  }
  void take_cookies(streamed_response::impl& got, const detail::url& from) const {
    if (options_.cookies == nullptr) return;
    for (const http::header& field : got.link().head().fields) {
      if (same_name(field.name, "Set-Cookie"))
        options_.cookies->take(detail::cookie_place_of(from), field.value);
    }
  }

  /// A kept connection may turn out to be closed: then once more, by a new one.
  void begin(client_link& link, const detail::origin& to, const std::optional<detail::proxy>& by,
             detail::outgoing_request& request, steady_time until) {
    if (link.is_connected()) {
      const auto failed = link.begin(request, until);
      if (failed == client_link::failed::no) return;
      if (request.pieces_were_asked ||
          (failed == client_link::failed::unanswered && !is_repeatable(request.method))) {
        throw error(errc::unavailable,
                    "the server closed the connection without an answer; it may have served the request");
      }
      repeated_.fetch_add(1, std::memory_order_relaxed);
    }
    const steady_time connected = bound_until(options_.connect_timeout);
    link.connect(connect(to, by, std::min(until, connected)));
    connections_.fetch_add(1, std::memory_order_relaxed);
    if (link.begin(request, until) != client_link::failed::no)
      throw error(errc::unavailable, "the server closed the connection without an answer");
  }

  detail::transport connect(const detail::origin& to, const std::optional<detail::proxy>& by,
                            steady_time until) {
    const auto& shown = to.text() == origin_.text() ? options_.tls : tls_elsewhere_;
    const net::tls::client_context* const tls = shown ? &*shown : nullptr;
    if (!by) return detail::connect_to(to, tls, until);
    return detail::open_over(
        to.secure ? detail::tunnel_to(to, *by, until) : net::stream::connect(by->server, until), to, tls,
        until);
  }

  client_options options_;
  std::optional<net::tls::client_context> tls_elsewhere_;  // who redirects may not have the certificate shown
  detail::origin origin_;
  link_pool pool_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> repeated_{0};
};

client::client(std::string_view url, client_options options)
    : impl_(std::make_unique<impl>(url, std::move(options))) {}
client::~client() = default;

response client::send(std::string_view method, std::string_view target, std::string_view body,
                      const request_options& options) {
  const auto got =
      impl_->open(method, target, body, nullptr, options, impl_->options().limits.body_bytes_max);
  response whole;
  detail::response_access::received(whole, got->status());
  std::string& bytes = detail::response_access::body(whole);
  for (std::string_view piece; !(piece = got->read()).empty();) bytes.append(piece);
  detail::response_access::fields(whole) = std::move(got->fields());
  detail::response_access::trailers(whole) = std::move(got->trailers());
  return whole;
}

streamed_response client::open(std::string_view method, std::string_view target, std::string_view body,
                               const request_options& options) {
  return streamed_response(impl_->open(method, target, body, nullptr, options, SIZE_MAX));
}

streamed_response client::upload(std::string_view method, std::string_view target, const body_pieces& body,
                                 const request_options& options) {
  return streamed_response(impl_->open(method, target, {}, &body, options, SIZE_MAX));
}

void client::close_idle() { impl_->close_idle(); }
client_statistics client::statistics() const { return impl_->statistics(); }

streamed_response::streamed_response(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
streamed_response::streamed_response(streamed_response&&) noexcept = default;
streamed_response& streamed_response::operator=(streamed_response&&) noexcept = default;
streamed_response::~streamed_response() = default;

int streamed_response::status() const noexcept { return impl_->status(); }
std::optional<std::string_view> streamed_response::header(std::string_view name) const noexcept {
  return detail::find_field(impl_->fields(), name);
}
const std::string& streamed_response::fields() const noexcept { return impl_->fields(); }
std::string_view streamed_response::read_body() { return impl_->read(); }
std::optional<std::string_view> streamed_response::trailer(std::string_view name) const noexcept {
  return detail::find_field(impl_->trailers(), name);
}

}  // namespace weft::inline v1::http
