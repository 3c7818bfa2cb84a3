#include <weft/wire/key_ring.hpp>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>

namespace {

using weft::errc;
using weft::wire::key;
using weft::wire::key_ring;

class key_file : public testing::Test {
 protected:
  key_file() {
    char pattern[] = "/tmp/weft-keys-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~key_file() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/keys"; }

  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path()) << text;
    chmod(path().c_str(), mode);
  }

  errc refusal() const {
    try {
      (void)key_ring::load(path());
    } catch (const weft::error& problem) {
      const bool names_file = problem.message().find(path()) != std::string::npos;
      EXPECT_TRUE(names_file || problem.code() == errc::invalid_argument) << problem.what();
      return problem.code();
    }
    return errc::unknown;
  }

  std::string folder_;
};

constexpr const char* good_secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST_F(key_file, is_written_for_its_owner_and_read_back) {
  std::vector<key> keys;
  keys.push_back(key::generate("new"));
  keys.push_back(key::generate("old"));
  const key_ring made(std::move(keys));
  made.save(path());
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto loaded = key_ring::load(path());
  EXPECT_EQ(loaded.ids(), (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(weft::wire::verify(loaded, "p", weft::wire::sign(made, "p", weft::to_bytes("x"))),
            weft::to_bytes("x"));
  EXPECT_THROW(made.save(path()), weft::error);
}

TEST_F(key_file, may_hold_comments_and_empty_lines) {
  write(std::string("# keys of the queue\n\nk1 ") + good_secret);
  EXPECT_EQ(key_ring::load(path()).ids(), std::vector<std::string>{"k1"});
}

TEST_F(key_file, has_an_error_of_its_own_for_each_fault) {
  EXPECT_EQ(refusal(), errc::not_found);
  write(std::string("k1 ") + good_secret, 0640);
  EXPECT_EQ(refusal(), errc::refused);
  write("");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1\n");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1 AAEC!\n");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1 AAECAwQ=\n");
  EXPECT_EQ(refusal(), errc::invalid_argument);
  write(std::string("k1 ") + good_secret + "\nk1 " + good_secret);
  EXPECT_EQ(refusal(), errc::invalid_argument);
  write(std::string(70'000, '#'));
  EXPECT_EQ(refusal(), errc::malformed);
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(refusal(), errc::refused);
}

TEST(key, refuses_a_short_secret_and_an_odd_id) {
  EXPECT_THROW(key("k", weft::wire::secret_bytes(31)), weft::error);
  EXPECT_THROW(key("", weft::wire::secret_bytes(32)), weft::error);
  EXPECT_THROW(key("a b", weft::wire::secret_bytes(32)), weft::error);
  EXPECT_THROW(key_ring(std::vector<key>{}), weft::error);
}

TEST(key, derives_other_bytes_for_each_purpose) {
  const key_ring keys(key::generate("k"));
  const auto a = keys.derive("k", "cookies", 32);
  const auto b = keys.derive("k", "cookies", 32);
  const auto c = keys.derive("k", "tokens", 32);
  EXPECT_EQ(weft::as_text(a.data()), weft::as_text(b.data()));
  EXPECT_NE(weft::as_text(a.data()), weft::as_text(c.data()));
  EXPECT_THROW((void)keys.derive("other", "x", 32), weft::error);
}

}  // namespace
