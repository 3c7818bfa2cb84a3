#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace weft::bench {

/// Asks for hello over TLS 1.3, one connection after another, each resuming the session of the one before.
/// Blocking sockets and OpenSSL; nothing of weft. Trusts anybody.
class resumed_load {
 public:
  explicit resumed_load(int port);

  /// Throws std::runtime_error for a wrong answer, and for a session that was not resumed.
  void run(std::size_t connections);

 private:
  void ask(bool is_first);

  template <auto Free>
  struct freed_by {
    template <typename T>
    void operator()(T* one) const {
      Free(one);
    }
  };
  const int port_;
  std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context_;
  std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>> session_;
};

}  // namespace weft::bench
