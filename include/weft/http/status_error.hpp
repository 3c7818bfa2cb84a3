#pragma once

#include <string>

#include <weft/core/error.hpp>

namespace weft::http {

/// Thrown by a handler to answer with `status` (400 to 599) and the message as text. What the message
/// says goes to the client; other exceptions become a 500 whose text tells nothing.
class status_error : public error {
 public:
  status_error(int status, std::string message);
  int status() const noexcept { return status_; }

 private:
  int status_;
};

}  // namespace weft::http
