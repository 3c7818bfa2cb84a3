#include "password.hpp"

#include <crypt.h>
#include <cerrno>
#include <cstring>
#include <memory>

#include <weft/core/error.hpp>

namespace signup {
namespace {

constexpr const char* method = "$y$";
constexpr unsigned long cost = 1;  // the lowest; a real service takes 5 or more

std::string crypt(const std::string& password, const char* setting) {
  const auto work = std::make_unique<crypt_data>();
  const char* const hash = crypt_r(password.c_str(), setting, work.get());
  if (hash == nullptr || hash[0] == '*') throw weft::system_error("hash a password with yescrypt", errno);
  std::string copy(hash);
  explicit_bzero(work.get(), sizeof(crypt_data));
  return copy;
}

}  // namespace

std::string hash_password(const std::string& password) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn(method, cost, nullptr, 0, setting, sizeof setting) == nullptr) {
    throw weft::system_error("make a salt for yescrypt", errno);
  }
  return crypt(password, setting);
}

bool matches(const std::string& password, const std::string& hash) {
  return crypt(password, hash.c_str()) == hash;
}

}  // namespace signup
