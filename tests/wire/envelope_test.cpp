#include <weft/wire/envelope.hpp>

#include <algorithm>

#include <gtest/gtest.h>

#include <weft/wire/random.hpp>

namespace {

using weft::bytes;
using weft::errc;
using weft::to_bytes;
using weft::wire::key;
using weft::wire::key_ring;
using weft::wire::secret_bytes;
using weft::wire::sign;
using weft::wire::verify;

key fixed_key(std::string id, int first) {
  secret_bytes secret(32);
  for (auto& byte : secret.data()) byte = static_cast<std::byte>(first++);
  return {std::move(id), std::move(secret)};
}

key_ring ring(std::initializer_list<std::pair<const char*, int>> keys) {
  std::vector<key> made;
  for (const auto& [id, first] : keys) made.push_back(fixed_key(id, first));
  return key_ring(std::move(made));
}

errc refusal_of(const key_ring& keys, std::string_view purpose, const bytes& envelope) {
  try {
    (void)verify(keys, purpose, envelope);
  } catch (const weft::error& problem) {
    return problem.code();
  }
  return errc::unknown;
}

std::string hex(const bytes& data) {
  std::string out;
  for (const auto byte : data) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[std::to_integer<std::size_t>(byte) >> 4];
    out += digits[std::to_integer<std::size_t>(byte) & 15];
  }
  return out;
}

// The expected bytes were computed by another program (Python's hmac and hashlib) from the format page.
TEST(envelope, has_the_documented_bytes) {
  const auto envelope = sign(ring({{"k1", 0}}), "jobs", to_bytes("body"));
  EXPECT_EQ(hex(envelope),
            "01026b3100000004626f6479"
            "98d7eef327ecd4161a856b6d77d8ef9b06099c8ee246f01145069fa4b6685a49");
}

TEST(envelope, gives_back_what_was_signed) {
  const auto keys = ring({{"a", 1}, {"b", 2}});
  const auto body = to_bytes("anything\n");
  EXPECT_EQ(verify(keys, "jobs", sign(keys, "jobs", body)), body);
  EXPECT_EQ(verify(keys, "jobs", sign(keys, "jobs", bytes{})), bytes{});
  EXPECT_EQ(weft::wire::key_id_of(sign(keys, "jobs", body)), "a");
}

TEST(envelope, refuses_each_single_bit_that_was_changed) {
  const auto keys = ring({{"a", 1}});
  const auto good = sign(keys, "jobs", to_bytes("pay 10"));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto refusal = refusal_of(keys, "jobs", bad);
    const std::size_t at = bit / 8;
    if (at == 0) {
      const bool is_later_version = bit > 0 && bit < 5;
      EXPECT_EQ(refusal, is_later_version ? errc::unsupported : errc::malformed) << "bit " << bit;
    } else if (at == 1 || (at >= 3 && at < 7)) {
      EXPECT_EQ(refusal, errc::malformed) << "byte " << at;  // lengths
    } else {
      EXPECT_EQ(refusal, at == 2 ? errc::not_found : errc::bad_signature) << "byte " << at;
    }
  }
}

TEST(envelope, refuses_every_length_but_its_own) {
  const auto keys = ring({{"a", 1}});
  const auto good = sign(keys, "jobs", to_bytes("x"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(refusal_of(keys, "jobs", {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}),
              errc::malformed);
  }
  auto longer = good;
  longer.push_back({});
  EXPECT_EQ(refusal_of(keys, "jobs", longer), errc::malformed);
}

TEST(envelope, is_good_for_one_purpose_only) {
  const auto keys = ring({{"a", 1}});
  EXPECT_EQ(refusal_of(keys, "cookies", sign(keys, "jobs", to_bytes("x"))), errc::bad_signature);
}

TEST(envelope, verifies_by_old_keys_after_rotation_and_names_a_key_it_lacks) {
  const auto before = ring({{"2025", 1}});
  const auto after = ring({{"2026", 2}, {"2025", 1}});
  const auto later = ring({{"2026", 2}});
  const auto old = sign(before, "jobs", to_bytes("x"));
  EXPECT_EQ(verify(after, "jobs", old), to_bytes("x"));
  EXPECT_EQ(weft::wire::key_id_of(sign(after, "jobs", bytes{})), "2026");
  try {
    (void)verify(later, "jobs", old);
    ADD_FAILURE() << "no error";
  } catch (const weft::wire::unknown_key& problem) {
    EXPECT_EQ(problem.id(), "2025");
    EXPECT_EQ(problem.code(), errc::not_found);
  }
  EXPECT_EQ(refusal_of(ring({{"2025", 9}}), "jobs", old), errc::bad_signature);
}

TEST(envelope, refuses_an_over_long_one_before_anything_else) {
  const auto keys = ring({{"a", 1}});
  EXPECT_EQ(refusal_of(keys, "jobs", bytes(weft::wire::envelope_bytes_max + 1)), errc::too_large);
}

TEST(canonical, keeps_fields_apart_and_in_order) {
  weft::wire::canonical_writer one;
  one.text("ab");
  one.text("c");
  weft::wire::canonical_writer other;
  other.text("a");
  other.text("bc");
  EXPECT_NE(one.data(), other.data());
  weft::wire::canonical_reader reader(one.data());
  EXPECT_EQ(reader.text(), "ab");
  EXPECT_THROW((void)reader.binary(), weft::error);
  EXPECT_THROW(reader.expect_end(), weft::error);
}

TEST(canonical, reads_what_was_written_and_nothing_less) {
  weft::wire::canonical_writer fields;
  fields.integer(-5);
  fields.unsigned_integer(UINT64_MAX);
  fields.absent();
  fields.binary(to_bytes("\x01"));
  fields.text("end");
  weft::wire::canonical_reader reader(fields.data());
  EXPECT_EQ(reader.integer(), -5);
  EXPECT_FALSE(reader.take_absent());
  EXPECT_EQ(reader.unsigned_integer(), UINT64_MAX);
  EXPECT_TRUE(reader.take_absent());
  EXPECT_EQ(weft::as_text(reader.binary()), "\x01");
  EXPECT_EQ(reader.text(), "end");
  reader.expect_end();
  for (std::size_t cut = 0; cut < fields.data().size(); ++cut) {
    weft::wire::canonical_reader shorter(std::span(fields.data()).first(cut));
    EXPECT_THROW(
        {
          shorter.integer();
          shorter.unsigned_integer();
          if (!shorter.take_absent()) shorter.text();
          shorter.binary();
          shorter.text();
        },
        weft::error);
  }
}

TEST(random_bytes, differ_each_time) {
  EXPECT_EQ(weft::wire::random_bytes(32).size(), 32U);
  EXPECT_NE(weft::wire::random_bytes(32), weft::wire::random_bytes(32));
}

}  // namespace
