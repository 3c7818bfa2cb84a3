#include <weft/codec/secret.hpp>

#include <cstring>

#include <weft/core/error.hpp>

namespace weft::inline v1::detail {
namespace {

// Of the thread that encodes, which does not wait meanwhile.
thread_local secret_writer* innermost = nullptr;

}  // namespace

secret_writer::secret_writer() noexcept : outer_(std::exchange(innermost, this)) {}
secret_writer::~secret_writer() { innermost = outer_; }

void write_secret(encoder& out, const secret_value& secret) {
  if (innermost != nullptr) return innermost->write(out, secret);
  throw error(
      errc::refused,
      "encode: a secret is not written in clear; pass it as an argument of a job, which encrypts it, or "
      "hold a weft::secrets_in_clear where it may be seen");
}

void throw_unfit_secret() {
  throw error(errc::malformed, "decode: a secret does not fit the type that it is read as");
}

void wipe(void* data, std::size_t size) noexcept {
  if (size > 0) ::explicit_bzero(data, size);
}

}  // namespace weft::inline v1::detail
