#include <openssl/evp.h>

#include <array>
#include <string>

#include "net/tls/stream_impl.hpp"

namespace weft::inline v1::net::tls {
namespace {

using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

std::string subject_of(const X509& certificate) {
  const bio_ptr into(BIO_new(BIO_s_mem()));
  if (!into) throw std::bad_alloc();
  // Bytes over 127 stay as they are: UTF-8.
  X509_NAME_print_ex(into.get(), X509_get_subject_name(&certificate), 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(into.get(), &bytes);
  return {bytes, static_cast<std::size_t>(count)};
}

std::vector<std::string> names_of(X509& certificate) {
  std::vector<std::string> all;
  const names_ptr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return all;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(names.get(), i);
    if (one->type != GEN_DNS && one->type != GEN_EMAIL && one->type != GEN_URI) continue;
    const ASN1_STRING* const text = one->d.ia5;
    all.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return all;
}

std::string fingerprint_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &bytes);
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) {
    text += digits[digest[i] >> 4];
    text += digits[digest[i] & 15];
  }
  return text;
}

}  // namespace

void stream::impl::note_session() {
  const SSL* const ssl = ssl_.get();
  session_.version = SSL_get_version(ssl);
  session_.cipher = SSL_get_cipher_name(ssl);
  session_.is_resumed = SSL_session_reused(ssl) == 1;
  const unsigned char* chosen = nullptr;
  unsigned bytes = 0;
  SSL_get0_alpn_selected(ssl, &chosen, &bytes);
  session_.protocol.assign(reinterpret_cast<const char*>(chosen), bytes);
  const char* const asked = is_server_ ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : nullptr;
  if (asked != nullptr) session_.server_name = asked;
  X509* const peer = SSL_get0_peer_certificate(ssl);
  if (peer == nullptr || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return;
  session_.peer = peer_certificate{subject_of(*peer), names_of(*peer), fingerprint_of(*peer)};
}

}  // namespace weft::inline v1::net::tls
