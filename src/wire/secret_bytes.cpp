#include <weft/wire/secret_bytes.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::wire {

secret_bytes::secret_bytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw system_error("secret_bytes: make a page", errno);
  // Both are a belt: where the kernel or a limit refuses them, the secret is kept all the same.
  (void)madvise(pages, size, MADV_DONTDUMP);
  (void)mlock(pages, size);
  data_ = static_cast<std::byte*>(pages);
}

secret_bytes::secret_bytes(std::span<const std::byte> data) : secret_bytes(data.size()) {
  std::copy(data.begin(), data.end(), data_);
}

secret_bytes::secret_bytes(secret_bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

secret_bytes& secret_bytes::operator=(secret_bytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

secret_bytes::~secret_bytes() {
  if (data_ == nullptr) return;
  OPENSSL_cleanse(data_, size_);
  munmap(data_, size_);
}

}  // namespace weft::inline v1::wire
