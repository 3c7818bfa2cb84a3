#include <weft/net/tls/stream.hpp>

#include <utility>

#include <weft/core/error.hpp>

#include "net/tls/stream_impl.hpp"

namespace weft::inline v1::net::tls {

stream stream::connect(net::stream over, const client_context& with, std::string_view server_name,
                       steady_time until) {
  client_core& core = *with.core_;
  auto made = std::make_unique<impl>(std::move(over), core.context.get(), with.core_);
  made->prepare_client(core, server_name, with.shows_certificate_);
  try {
    made->handshake(until);
  } catch (const error& failed) {
    throw error(failed.code(), failed.message() + " (server \"" + std::string(server_name) + "\")");
  }
  return stream(std::move(made));
}

stream stream::accept(net::stream over, const server_context& with, steady_time until,
                      std::span<const std::string> or_protocols) {
  auto loaded = with.core_->loaded();
  SSL_CTX* const context = loaded->first();
  auto made = std::make_unique<impl>(std::move(over), context, std::move(loaded));
  made->prepare_server(or_protocols);
  made->handshake(until);
  return stream(std::move(made));
}

stream::stream(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&&) noexcept = default;
stream::~stream() = default;

std::optional<std::size_t> stream::read_some_until(std::span<char> into, steady_time until) {
  return impl_->read_some(into, until);
}
transfer stream::write_all_until(std::span<const std::string_view> pieces, steady_time until) {
  return impl_->write_all(pieces, until);
}
std::optional<std::size_t> stream::write_some_until(std::string_view bytes, steady_time until) {
  return impl_->write_some(bytes, until);
}
void stream::shutdown_write() { impl_->shutdown_write(); }
void stream::shutdown_read() noexcept { impl_->shutdown_read(); }
void stream::close() noexcept {
  if (impl_) impl_->close();
}
bool stream::is_open() const noexcept { return impl_ && impl_->below().is_open(); }
bool stream::is_alive() noexcept { return impl_->is_alive(); }
bool stream::is_quiet() noexcept { return impl_->is_quiet(); }
void stream::renew_keys_until(steady_time until) { impl_->renew_keys(until); }
const session& stream::session() const noexcept { return impl_->session(); }
net::stream& stream::below() noexcept { return impl_->below(); }
const net::stream& stream::below() const noexcept { return impl_->below(); }

}  // namespace weft::inline v1::net::tls
