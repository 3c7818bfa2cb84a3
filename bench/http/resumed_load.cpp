#include "http/resumed_load.hpp"

#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string_view>

#include "http/load_socket.hpp"

namespace weft::bench {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("TLS load: ") + what);
}

}  // namespace

resumed_load::resumed_load(int port) : port_(port), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
  ask(true);
}

void resumed_load::run(std::size_t connections) {
  for (std::size_t i = 0; i < connections; ++i) ask(false);
}

void resumed_load::ask(bool is_first) {
  constexpr std::string_view request =
      "GET /hello/world HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  const int fd = connect_to(port_);
  const std::unique_ptr<SSL, freed_by<SSL_free>> ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), fd);
  if (session_) SSL_set_session(ssl.get(), session_.get());
  require(SSL_connect(ssl.get()) == 1, "no handshake");
  require(is_first || SSL_session_reused(ssl.get()) == 1, "a session was not resumed");
  require(SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) > 0, "cannot send");
  std::string heard;
  std::array<char, 4096> some;
  for (int count = 0; (count = SSL_read(ssl.get(), some.data(), some.size())) > 0;)
    heard.append(some.data(), static_cast<std::size_t>(count));
  require(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.ends_with("Hello world!"), "a wrong answer");
  session_.reset(SSL_get1_session(ssl.get()));  // its ticket came before the answer
  SSL_shutdown(ssl.get());
  ::close(fd);
}

}  // namespace weft::bench
