#include <openssl/err.h>

#include <array>
#include <new>
#include <utility>

#include <weft/net/tls/context.hpp>

#include "net/tls/cores.hpp"

namespace weft::inline v1::net::tls {

loaded_certificates::loaded_certificates(const server_options& options, SSL_CTX* former)
    : protocols_(protocol_list(options.protocols)), refuse_unknown_(options.refuse_unknown_names) {
  if (options.certificates.empty()) throw error(errc::invalid_argument, "tls: a server needs a certificate");
  for (const certificate& one : options.certificates) all_.push_back(load(options, one));
  // A session knows who its client is: it does not outlive whom one trusts.
  std::array<unsigned char, 80> keys;
  if (former != nullptr && options.client_certificates == client_certificates::none &&
      SSL_CTX_get_tlsext_ticket_keys(former, keys.data(), keys.size()) == 1)
    SSL_CTX_set_tlsext_ticket_keys(first(), keys.data(), keys.size());
}

ssl_context_ptr loaded_certificates::load(const server_options& options, const certificate& one) {
  ssl_context_ptr made = make_context(TLS_server_method(), options.oldest);
  SSL_CTX* const context = made.get();
  use_certificate(*context, one);
  if (options.client_certificates != client_certificates::none) {
    trust(*context, options.client_ca, "client CA");
    STACK_OF(X509_NAME)* const names = sk_X509_NAME_new_null();
    for (const x509_ptr& ca : read_certificates(options.client_ca, "client CA"))
      sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(ca.get())));
    SSL_CTX_set_client_CA_list(context, names);  // takes it
    const bool required = options.client_certificates == client_certificates::required;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  }
  constexpr std::array<unsigned char, 4> id{'w', 'e', 'f', 't'};
  SSL_CTX_set_session_id_context(context, id.data(), id.size());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
  if (!options.tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, this);
  return made;
}

SSL_CTX* loaded_certificates::find(const char* name) const noexcept {
  for (const ssl_context_ptr& one : all_) {
    if (X509_check_host(SSL_CTX_get0_certificate(one.get()), name, 0, 0, nullptr) == 1) return one.get();
  }
  return nullptr;
}

int loaded_certificates::choose_certificate(SSL* connection, int* alert, void* self) noexcept {
  const auto& mine = *static_cast<const loaded_certificates*>(self);
  const char* const name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* const found = mine.find(name);
  if (found == nullptr && mine.refuse_unknown_) {
    try {
      static_cast<connection_notes*>(SSL_get_app_data(connection))->unknown_name = name;
    } catch (const std::bad_alloc&) {  // the text says less then
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  if (found != nullptr && found != mine.first()) SSL_set_SSL_CTX(connection, found);
  return SSL_TLSEXT_ERR_OK;
}

int loaded_certificates::choose_protocol(SSL* connection, const unsigned char** chosen,
                                         unsigned char* chosen_bytes, const unsigned char* offered,
                                         unsigned offered_bytes, void* self) noexcept {
  const auto& mine = *static_cast<const loaded_certificates*>(self);
  const auto& notes = *static_cast<const connection_notes*>(SSL_get_app_data(connection));
  const bool names_some = !mine.protocols_.empty();
  const std::string& wanted = names_some ? mine.protocols_ : notes.protocols;
  if (wanted.empty()) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* found = nullptr;
  const int how =
      SSL_select_next_proto(&found, chosen_bytes, reinterpret_cast<const unsigned char*>(wanted.data()),
                            static_cast<unsigned>(wanted.size()), offered, offered_bytes);
  if (how != OPENSSL_NPN_NEGOTIATED) return names_some ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

server_core::server_core(server_options with)
    : options_(std::move(with)), loaded_(std::make_shared<const loaded_certificates>(options_, nullptr)) {}

std::shared_ptr<const loaded_certificates> server_core::loaded() const {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

void server_core::reload() {
  const auto former = loaded();
  auto fresh = std::make_shared<const loaded_certificates>(options_, former->first());
  const std::lock_guard lock(mutex_);
  loaded_ = std::move(fresh);
}

server_context::server_context(server_options options)
    : core_(std::make_shared<server_core>(std::move(options))) {}

void server_context::reload() { core_->reload(); }

const std::vector<std::string>& server_context::protocols() const noexcept { return core_->protocols(); }

}  // namespace weft::inline v1::net::tls
