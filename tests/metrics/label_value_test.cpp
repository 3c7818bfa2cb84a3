#include "metrics/label_value.hpp"

#include <gtest/gtest.h>

#include <string>

#include <weft/metrics/description.hpp>

namespace {

using weft::metrics::label_value_bytes_max;
using weft::metrics::detail::clean_label_value;

TEST(metrics_label_value, keeps_well_formed_text) {
  for (const std::string text : {"", "mail", "a\nb\"c\\", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac",
                                 "\xed\x9f\xbf", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(clean_label_value(text), text);
  }
}

TEST(metrics_label_value, replaces_bytes_that_are_not_utf8) {
  EXPECT_EQ(clean_label_value("a\xff"
                              "b"),
            "a?b");
  EXPECT_EQ(clean_label_value("\x80"), "?");
  EXPECT_EQ(clean_label_value("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(clean_label_value("\xe0\x80\xaf"), "???");       // overlong
  EXPECT_EQ(clean_label_value("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(clean_label_value("\xf4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(clean_label_value("\xe2\x82"), "??");            // cut short
  EXPECT_EQ(clean_label_value("\xe2\x82x"), "??x");
}

TEST(metrics_label_value, is_cut_between_characters) {
  EXPECT_EQ(clean_label_value(std::string(1000, 'x')), std::string(label_value_bytes_max, 'x'));
  const std::string almost(label_value_bytes_max - 1, 'x');
  EXPECT_EQ(clean_label_value(almost + "\xc3\xbc"), almost);
}

}  // namespace
