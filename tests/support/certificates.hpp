#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weft/net/tls/context.hpp>

namespace weft_test {

/// What a certificate for a test says.
struct certificate_terms {
  std::vector<std::string> names = {};  ///< DNS names, and addresses
  std::string common_name = "test";
  long valid_for_seconds = 3600;  ///< negative: it has expired
};

/// A certificate authority of one test, in memory. Throws weft::error (internal) where OpenSSL fails.
class test_ca {
 public:
  explicit test_ca(const std::string& name = "test CA");
  ~test_ca();
  test_ca(const test_ca&) = delete;
  test_ca& operator=(const test_ca&) = delete;

  /// Its own certificate, as PEM.
  const std::string& pem() const noexcept { return pem_; }
  /// A new certificate that it signs, with a new key.
  weft::net::tls::certificate make(const certificate_terms& terms);

 private:
  struct keys;
  std::unique_ptr<keys> keys_;
  std::string pem_;
};

}  // namespace weft_test
