#include <weft/net/tls/context.hpp>

#include "net/tls/cores.hpp"

namespace weft::inline v1::net::tls {
namespace {

constexpr std::size_t sessions_of_server_max = 4;

int keep_session(SSL* connection, SSL_SESSION* session) noexcept {
  const auto& notes = *static_cast<connection_notes*>(SSL_get_app_data(connection));
  ssl_session_ptr mine(session);
  if (notes.sessions != nullptr && SSL_SESSION_is_resumable(session) == 1) {
    try {
      notes.sessions->keep(notes.server, std::move(mine));
    } catch (const std::bad_alloc&) {  // a full handshake the next time
    }
  }
  return 1;  // it is ours
}

}  // namespace

ssl_session_ptr session_cache::take(const std::string& server) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(server);
  if (found == servers_.end()) return nullptr;
  std::deque<ssl_session_ptr>& sessions = found->second.sessions;
  ssl_session_ptr newest;
  if (SSL_SESSION_get_protocol_version(sessions.back().get()) == TLS1_3_VERSION) {
    newest = std::move(sessions.back());
    sessions.pop_back();
  } else if (SSL_SESSION_up_ref(sessions.back().get()) == 1) {
    newest.reset(sessions.back().get());
  }
  if (sessions.empty()) {
    order_.erase(found->second.place);
    servers_.erase(found);
  }
  return newest;
}

void session_cache::keep(const std::string& server, ssl_session_ptr session) {
  if (servers_max_ == 0) return;
  const std::lock_guard lock(mutex_);
  auto found = servers_.find(server);
  if (found == servers_.end()) {
    order_.push_front(server);
    found = servers_.emplace(server, entry{{}, order_.begin()}).first;
  } else {
    order_.splice(order_.begin(), order_, found->second.place);
  }
  found->second.sessions.push_back(std::move(session));
  if (found->second.sessions.size() > sessions_of_server_max) found->second.sessions.pop_front();
  if (servers_.size() > servers_max_) {
    servers_.erase(order_.back());
    order_.pop_back();
  }
}

client_core::client_core(const client_options& options)
    : context(make_context(TLS_client_method(), options.oldest)),
      sessions(options.sessions_max),
      verify(options.verify) {
  SSL_CTX* const made = context.get();
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(made);
  } else {
    trust(*made, options.ca, "trusted certificate");
  }
  SSL_CTX_set_verify(made, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.certificate.chain.empty()) use_certificate(*made, options.certificate);
  const std::string list = protocol_list(options.protocols);
  SSL_CTX_set_alpn_protos(made, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
  SSL_CTX_set_session_cache_mode(made, options.sessions_max == 0
                                           ? SSL_SESS_CACHE_OFF
                                           : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(made, keep_session);
}

client_context::client_context(client_options options) : core_(std::make_shared<client_core>(options)) {}

client_context client_context::without_certificate() const {
  client_context made = *this;
  made.shows_certificate_ = false;
  return made;
}

const client_context& client_context::common() {
  static const client_context made;
  return made;
}

}  // namespace weft::inline v1::net::tls
