#include "wire/digest.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>

namespace {

using weft::as_bytes;
using weft::wire::equal_in_constant_time;

std::string hex(std::span<const std::byte> data) {
  std::string out;
  for (const auto byte : data) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[std::to_integer<std::size_t>(byte) >> 4];
    out += digits[std::to_integer<std::size_t>(byte) & 15];
  }
  return out;
}

// RFC 4231, cases 1, 2 and 3.
TEST(digest, is_the_hmac_of_the_standard) {
  EXPECT_EQ(hex(weft::wire::hmac_sha256(weft::bytes(20, std::byte{0x0b}), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(weft::wire::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(weft::wire::hmac_sha256(weft::bytes(20, std::byte{0xaa}), weft::bytes(50, std::byte{0xdd}))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

TEST(digest, tells_equal_bytes_from_others) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("abcd"), as_bytes("abcd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abcd"), as_bytes("abce")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abcd"), as_bytes("xbcd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abcd"), as_bytes("abc")));
}

/// Two pages; the second one cannot be read.
class half_readable {
 public:
  half_readable()
      : begin_(static_cast<std::byte*>(
            ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  half_readable(const half_readable&) = delete;
  half_readable& operator=(const half_readable&) = delete;
  ~half_readable() { ::munmap(begin_, 2 * page); }

  void close_second() { ::mprotect(begin_ + page, page, PROT_NONE); }
  std::span<std::byte> both() { return {begin_, 2 * page}; }

  static inline const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

 private:
  std::byte* begin_;
};

constexpr int touched = 77;

// Ends the process with `touched` once it reads what it may not.
template <typename Body>
[[noreturn]] void run_and_exit(Body body) {
  std::signal(SIGSEGV, [](int) { ::_exit(touched); });
  body();
  ::_exit(0);
}

// No clock is needed to see that all bytes were looked at: the last ones cannot be.
TEST(digest, compares_all_bytes_also_where_the_first_ones_differ) {
  half_readable other;
  std::fill(other.both().begin(), other.both().end(), std::byte{1});
  other.close_second();
  const weft::bytes mine(2 * half_readable::page);  // differs from the first byte on
  EXPECT_EXIT(run_and_exit([&] { (void)equal_in_constant_time(mine, other.both()); }),
              testing::ExitedWithCode(touched), "");
}

TEST(digest, of_an_envelope_is_compared_to_its_last_byte) {
  const weft::wire::key_ring keys(weft::wire::key::generate("a"));
  auto envelope = weft::wire::sign(keys, "p", as_bytes("body"));
  envelope[envelope.size() - 32] ^= std::byte{1};  // the first byte of the signature
  half_readable other;
  const std::size_t readable = envelope.size() - 1;
  const auto place = other.both().subspan(half_readable::page - readable, envelope.size());
  std::copy(envelope.begin(), envelope.end(), place.begin());
  other.close_second();
  const auto check = [&] {
    try {
      (void)weft::wire::verify(keys, "p", place);
    } catch (const weft::error&) {
    }
  };
  EXPECT_EXIT(run_and_exit(check), testing::ExitedWithCode(touched), "");
}

}  // namespace
