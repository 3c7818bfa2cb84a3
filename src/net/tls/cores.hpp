#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/tls/openssl.hpp"

namespace weft::inline v1::net::tls {

/// Sessions of a client, to be resumed. A session of TLS 1.3 is used once. Any thread.
class session_cache {
 public:
  explicit session_cache(std::size_t servers_max) noexcept : servers_max_(servers_max) {}

  /// The newest session with `server`; null for none.
  ssl_session_ptr take(const std::string& server);
  /// Forgets those of the server that was longest without a new one, where there are too many.
  void keep(const std::string& server, ssl_session_ptr session);

 private:
  struct entry {
    std::deque<ssl_session_ptr> sessions;
    std::list<std::string>::iterator place;
  };
  const std::size_t servers_max_;
  std::mutex mutex_;
  std::map<std::string, entry> servers_;  // guarded by mutex_
  std::list<std::string> order_;          // guarded by mutex_; the one that got a session last is in front
};

struct client_core {
  explicit client_core(const client_options& options);

  ssl_context_ptr context;
  session_cache sessions;
  bool verify;
};

/// The certificates that a server has read. Constant.
class loaded_certificates {
 public:
  loaded_certificates(const server_options& options, SSL_CTX* former);
  loaded_certificates(const loaded_certificates&) = delete;
  loaded_certificates& operator=(const loaded_certificates&) = delete;

  /// The one for clients that ask for no name.
  SSL_CTX* first() const noexcept { return all_.front().get(); }

 private:
  ssl_context_ptr load(const server_options& options, const certificate& one);
  SSL_CTX* find(const char* name) const noexcept;
  static int choose_certificate(SSL* connection, int* alert, void* self) noexcept;
  static int choose_protocol(SSL* connection, const unsigned char** chosen, unsigned char* chosen_bytes,
                             const unsigned char* offered, unsigned offered_bytes, void* self) noexcept;

  std::vector<ssl_context_ptr> all_;
  std::string protocols_;
  bool refuse_unknown_;
};

struct server_core {
  explicit server_core(server_options with);
  std::shared_ptr<const loaded_certificates> loaded() const;
  void reload();
  const std::vector<std::string>& protocols() const noexcept { return options_.protocols; }

 private:
  const server_options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const loaded_certificates> loaded_;  // guarded by mutex_
};

/// Of one connection: what the callbacks of its context tell. The SSL's application data.
struct connection_notes {
  session_cache* sessions = nullptr;  // client: where new ones go
  std::string server;                 // client: by this name
  std::string unknown_name;           // server: that it refused
  std::string protocols;              // server: by ALPN, where its context names none; as on the wire
};

}  // namespace weft::inline v1::net::tls
