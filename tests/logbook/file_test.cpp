#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/log/logger.hpp>
#include <weft/logbook/defer.hpp>
#include <weft/logbook/file.hpp>

#include "support/scratch_folder.hpp"

namespace weft::logbook {
namespace {

class logbook_file : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "requests.log"; }
  std::vector<log::collection> read() const {
    std::vector<log::collection> all;
    std::ifstream in(path());
    for (std::string line; std::getline(in, line);) all.push_back(from_line(line));
    return all;
  }

  weft_test::scratch_folder folder_;
};

TEST_F(logbook_file, gets_the_log_of_each_request_once) {
  file book(path());
  for (int n = 0; n < 3; ++n) {
    const log::collector request({.deliver = [&](const log::collection& one) { book.write(one); }});
    log::data({{"n", n}});
  }
  const auto all = read();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].data.at(0).value, log::field_value(std::int64_t{2}));
}

TEST_F(logbook_file, is_appended_to_by_several_at_once) {
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&] {
      file book(path());
      log::collection one;
      one.data.push_back({"text", std::string(3000, 'x')});
      for (int n = 0; n < 50; ++n) book.write(one);
    });
  }
  for (auto& each : writers) each.join();
  EXPECT_EQ(read().size(), 200U);
}

TEST_F(logbook_file, counts_what_cannot_be_written) {
  file book(path());
  log::collection odd;
  odd.data.push_back({"a", std::string("\xff")});
  book.write(odd);
  EXPECT_EQ(book.dropped(), 1U);
  EXPECT_TRUE(read().empty());
  file full("/dev/full");
  full.write({});
  EXPECT_EQ(full.dropped(), 1U);
}

TEST_F(logbook_file, says_why_it_cannot_be_opened) {
  try {
    const file nowhere(folder_ / "none/log");
    FAIL();
  } catch (const error& failed) {
    EXPECT_EQ(failed.code(), errc::not_found);
    EXPECT_NE(failed.message().find("none/log"), std::string::npos);
  }
}

}  // namespace
}  // namespace weft::logbook
