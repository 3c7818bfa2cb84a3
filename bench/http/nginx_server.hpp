#pragma once

#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

#include <optional>
#include <string>

namespace weft::bench {

/// nginx, one process on the machine's first core, which says what weft's hello says, on any path. Ends with
/// this object.
class nginx_server {
 public:
  /// `chain` and `key`, PEM texts, make it a server of TLS 1.3. Throws unavailable where there is no nginx.
  nginx_server() : nginx_server("", "") {}
  nginx_server(const std::string& chain, const std::string& key);

  int port() const noexcept { return port_; }
  /// Time on a processor so far.
  double cpu_seconds() const;

 private:
  weft_test::scratch_folder folder_;
  int port_ = 0;
  std::optional<weft_test::server_process> running_;
};

}  // namespace weft::bench
