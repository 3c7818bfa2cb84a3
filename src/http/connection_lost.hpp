#pragma once

#include <weft/core/error.hpp>

namespace weft::inline v1::http::detail {

/// The client ended or broke the WebSocket that a handler speaks with it: an error of the call, but no
/// failure of the handler that it leaves. Strangers could fill the log with those.
class connection_lost final : public error {
 public:
  explicit connection_lost(const error& why) : error(why) {}
};

}  // namespace weft::inline v1::http::detail
