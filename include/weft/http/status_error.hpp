#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

namespace weft::inline v1::http {

/// Thrown by a handler to answer with `status` (400 to 599) and the message as text. What the message
/// says goes to the client; other exceptions become a 500 whose text tells nothing.
class status_error : public error {
 public:
  status_error(int status, std::string message);
  int status() const noexcept { return status_; }

  /// Adds a header field to the answer, as response::add_header.
  status_error& header(std::string_view name, std::string_view value);
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept { return headers_; }

 private:
  int status_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace weft::inline v1::http
