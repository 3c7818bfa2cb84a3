#include <weft/config/units.hpp>

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace weft::config {
namespace {

using namespace std::chrono_literals;

TEST(units, of_time) {
  EXPECT_EQ(duration_from_text("90"), 90s);
  EXPECT_EQ(duration_from_text("1h30m"), 90min);
  EXPECT_EQ(duration_from_text("500ms"), 500ms);
  EXPECT_EQ(duration_from_text("250us"), 250us);
  EXPECT_EQ(duration_from_text("7d"), 24h * 7);
  EXPECT_EQ(duration_from_text("2m"), 2min);
  EXPECT_EQ(duration_from_text("0s"), 0s);
  for (const char* const bad : {"", "s", "-5s", "5x", "1h30", "1 h", "5s ", "99999999999d", "1.5h", "+1s"})
    EXPECT_FALSE(duration_from_text(bad)) << bad;
  for (const auto span : {0us, 1us, 999us, 1000us, 90'000'000us, 5'400'000'000us, 86'400'000'001us})
    EXPECT_EQ(duration_from_text(duration_text(span)), span) << duration_text(span);
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(-2s), "-2s");
}

TEST(units, of_bytes) {
  EXPECT_EQ(byte_size_from_text("512"), byte_size{512});
  EXPECT_EQ(byte_size_from_text("512B"), byte_size{512});
  EXPECT_EQ(byte_size_from_text("10kB"), byte_size{10'000});
  EXPECT_EQ(byte_size_from_text("64MiB"), byte_size{64 << 20});
  EXPECT_EQ(byte_size_from_text("1.5GiB"), byte_size{3ULL << 29});
  EXPECT_EQ(byte_size_from_text("0.5kB"), byte_size{500});
  EXPECT_EQ(byte_size_from_text("18446744073709551615"),
            byte_size{std::numeric_limits<std::uint64_t>::max()});
  for (const char* const bad : {"", "MiB", "-1", "1.5", "1.0005kB", "18446744073709551616", "16777216TiB",
                                "1,5kB", "1.kB", "1.-5kB", "1 kB", "1.1234567MB", "5mb", "1e3"})
    EXPECT_FALSE(byte_size_from_text(bad)) << bad;
  for (const std::uint64_t bytes : {0ULL, 1ULL, 513ULL, 1000ULL, 1024ULL, 3ULL << 29, 1ULL << 40, ~0ULL})
    EXPECT_EQ(byte_size_from_text(byte_size_text({bytes})), byte_size{bytes}) << byte_size_text({bytes});
  EXPECT_EQ(byte_size_text({64 << 20}), "64MiB");
}

}  // namespace
}  // namespace weft::config
