#include <weft/wire/sha1.hpp>

#include <openssl/evp.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::wire {

std::array<std::byte, 20> sha1(std::span<const std::byte> data) {
  std::array<std::byte, 20> out{};
  if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_sha1(),
                 nullptr) != 1) {
    throw error(errc::internal, "wire: OpenSSL failed to compute SHA-1");
  }
  return out;
}

}  // namespace weft::inline v1::wire
