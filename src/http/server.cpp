#include <weft/http/server.hpp>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>

#include "http/server_core.hpp"

namespace weft::inline v1::http {

server::server(server_options options) : core_(std::make_unique<detail::server_core>(std::move(options))) {}

server::~server() {
  shield([this] { core_->stop({.grace = std::chrono::milliseconds(0)}); });
}

router& server::routes() noexcept { return core_->routes(); }
void server::start() { core_->start(); }
void server::wait() { core_->wait(); }
bool server::is_stopping() const noexcept { return core_->stage() >= detail::server_stage::stopping; }
bool server::stop(const stop_options& how) { return core_->stop(how); }

const net::endpoint& server::address() const {
  if (core_->address() == nullptr) throw error(errc::misuse, "http: the server was not started yet");
  return *core_->address();
}

std::string server::url() const { return (core_->options().tls ? "https://" : "http://") + address().text(); }
server_statistics server::statistics() const noexcept { return core_->statistics(); }

}  // namespace weft::inline v1::http
