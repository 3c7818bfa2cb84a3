#include <weft/wire/cipher.hpp>

#include <string>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>

namespace {

using weft::as_bytes;
using weft::as_text;
using weft::bytes;
using weft::errc;
using weft::wire::decrypt;
using weft::wire::encrypt;
using weft::wire::key;
using weft::wire::key_ring;

errc refusal_of(const key_ring& keys, std::string_view purpose, const bytes& sealed, std::string_view place) {
  try {
    (void)decrypt(keys, purpose, sealed, as_bytes(place));
  } catch (const weft::error& problem) {
    return problem.code();
  }
  return errc::unknown;
}

TEST(cipher, gives_back_what_was_encrypted_of_any_length) {
  const key_ring keys(key::generate("k"));
  for (const std::size_t length : {0U, 1U, 15U, 16U, 17U, 4096U, 70'000U}) {
    const std::string clear(length, 'x');
    const auto sealed = encrypt(keys, "p", as_bytes(clear), as_bytes("here"));
    EXPECT_EQ(as_text(decrypt(keys, "p", sealed, as_bytes("here")).data()), clear);
    EXPECT_TRUE(length < 15 || as_text(sealed).find(clear) == std::string_view::npos);
  }
}

TEST(cipher, gives_other_bytes_each_time) {
  const key_ring keys(key::generate("k"));
  EXPECT_NE(encrypt(keys, "p", as_bytes("same"), {}), encrypt(keys, "p", as_bytes("same"), {}));
}

TEST(cipher, refuses_each_single_bit_that_was_changed_and_each_other_length) {
  const key_ring keys(key::generate("k"));
  const auto good = encrypt(keys, "p", as_bytes("clear"), as_bytes("here"));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto refusal = refusal_of(keys, "p", bad, "here");
    EXPECT_NE(refusal, errc::unknown) << "bit " << bit;
    EXPECT_EQ(refusal == errc::unsupported, bit > 0 && bit < 5) << "bit " << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(refusal_of(keys, "p", {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, "here"),
              errc::unknown);
  }
  EXPECT_EQ(refusal_of(keys, "p", good, "here"), errc::unknown);
}

TEST(cipher, is_bound_to_its_purpose_its_place_and_its_key) {
  const key_ring keys(key::generate("k"));
  const auto sealed = encrypt(keys, "p", as_bytes("clear"), as_bytes("here"));
  EXPECT_EQ(refusal_of(keys, "q", sealed, "here"), errc::bad_signature);
  EXPECT_EQ(refusal_of(keys, "p", sealed, "there"), errc::bad_signature);
  EXPECT_EQ(refusal_of(keys, "p", sealed, ""), errc::bad_signature);
  EXPECT_EQ(refusal_of(key_ring(key::generate("k")), "p", sealed, "here"), errc::bad_signature);
  EXPECT_EQ(refusal_of(key_ring(key::generate("other")), "p", sealed, "here"), errc::not_found);
  std::vector<key> later;
  later.push_back(key::generate("new"));
  EXPECT_EQ(refusal_of(key_ring(std::move(later), {{"k", {}}}), "p", sealed, "here"), errc::refused);
}

TEST(cipher, uses_no_key_of_another_use) {
  const key_ring keys(key::generate("k"));
  const auto derived = keys.derive("k", "p", 32);
  std::vector<key> same;
  same.emplace_back("k", weft::wire::secret_bytes(derived.data()));
  const auto sealed = encrypt(key_ring(std::move(same)), "p", as_bytes("clear"), {});
  EXPECT_EQ(refusal_of(keys, "p", sealed, ""), errc::bad_signature);
}

TEST(cipher, reads_by_old_keys_after_rotation) {
  std::vector<key> first;
  first.push_back(key::generate("old"));
  std::vector<key> both;
  both.push_back(key::generate("new"));
  both.emplace_back("old", weft::wire::secret_bytes(first.front().secret()));
  const key_ring before(std::move(first));
  const key_ring after(std::move(both));
  const auto sealed = encrypt(before, "p", as_bytes("clear"), {});
  EXPECT_EQ(as_text(decrypt(after, "p", sealed, {}).data()), "clear");
  EXPECT_EQ(refusal_of(before, "p", encrypt(after, "p", as_bytes("clear"), {}), ""), errc::not_found);
}

}  // namespace
