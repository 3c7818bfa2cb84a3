#pragma once

#include <weft/http/request.hpp>

namespace weft::http::detail {

/// What the server does with a request that users cannot.
struct request_access {
  static request_parts& parts(request& of) noexcept { return of.parts_; }
};

}  // namespace weft::http::detail
