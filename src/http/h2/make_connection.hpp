#pragma once

#include <memory>
#include <string_view>

#include "http/served_link.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

class server_lane;

/// A connection of a server that speaks HTTP/2, as its lane sees it.
class http2_link : public served_link {
 public:
  virtual ~http2_link() = default;
  /// Serves until one side has had enough; `received` has come already. Throws weft::error where the
  /// connection breaks.
  virtual void run(std::string_view received) = 0;
};

namespace h2 {

/// Does this build have HTTP/2? The only word of this folder that is there without it, besides the next one.
bool is_built_in() noexcept;
/// Throws weft::error (unsupported) where it is not built in.
std::unique_ptr<http2_link> make_connection(server_lane& lane, transport peer);

}  // namespace h2

}  // namespace weft::inline v1::http::detail
