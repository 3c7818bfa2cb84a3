#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/http/middleware.hpp>

namespace weft::inline v1::http::detail {

/// The middleware of a router, in the order of its calls.
class middleware_list {
 public:
  /// Throws weft::error (invalid_argument) for a bad prefix; an empty one is that of every path.
  void add(std::string_view prefix, middleware work);
  /// Those whose prefix `path`, percent-encoded, has.
  void find(std::string_view path, std::vector<middleware*>& into);

 private:
  struct entry {
    std::vector<std::string> segments;  // an empty one stands for any that is not
    middleware work;
  };

  std::vector<entry> entries_;
};

}  // namespace weft::inline v1::http::detail
