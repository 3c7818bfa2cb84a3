#pragma once

#include <weft/http/request.hpp>

namespace weft::inline v1::http::detail {

/// The body of a request that is being served, in whatever form it comes.
class request_body : public body_source {
 public:
  /// Did the client leave in the middle of it?
  virtual bool is_cut_off() const noexcept = 0;

 protected:
  ~request_body() = default;
};

}  // namespace weft::inline v1::http::detail
