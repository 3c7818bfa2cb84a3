#include "dashboard/error_groups.hpp"

#include <gtest/gtest.h>

namespace weft::dashboard {
namespace {

TEST(error_groups, messages_are_the_same_but_for_numbers_and_ids) {
  EXPECT_EQ(without_numbers("order 7 of 12 failed"), "order # of # failed");
  EXPECT_EQ(without_numbers("key 3f2a9c01d4 is gone"), "key # is gone");
  EXPECT_EQ(without_numbers("a decade, facade"), "a decade, facade") << "words are no ids";
  EXPECT_EQ(without_numbers(""), "");
}

TEST(error_groups, keys_keep_all_bytes_and_are_bounded) {
  const error_key key{"mail.send", "std::runtime_error", std::string("a\0\xff.b", 5)};
  EXPECT_EQ(error_key_from(to_text(key)), key);
  const error_key empty;
  EXPECT_EQ(error_key_from(to_text(empty)), empty);
  EXPECT_FALSE(error_key_from(""));
  jobs::stored_job job;
  job.handler = std::string(2000, 'h') + "(int)";
  failure error;
  error.type = std::string(2000, 't');
  error.message = std::string(2000, 'm');
  const auto cut = error_key_of(job, error);
  EXPECT_EQ(cut.closure.size() + cut.type.size() + cut.message.size(), 3 * error_key_bytes_max);
  job.handler = "mail.send(int)";
  error.message = "order 7";
  EXPECT_EQ(error_key_of(job, error).closure, "mail.send");
  EXPECT_EQ(error_key_of(job, error).message, "order #");
}

}  // namespace
}  // namespace weft::dashboard
