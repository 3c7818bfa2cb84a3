#pragma once

#include <weft/http/request.hpp>

namespace weft::inline v1::http::detail {

/// What the server does with a request that users cannot.
struct request_access {
  static request_parts& parts(request& of) noexcept { return of.parts_; }
};

}  // namespace weft::inline v1::http::detail
