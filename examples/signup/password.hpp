#pragma once

#include <string>

namespace signup {

/// yescrypt of libcrypt with a fresh salt: "$y$...". Takes tens of milliseconds of CPU and some MiB by
/// design; run it in a worker process. Throws weft::error.
std::string hash_password(const std::string& password);

/// Was `hash` made from this password?
bool matches(const std::string& password, const std::string& hash);

}  // namespace signup
