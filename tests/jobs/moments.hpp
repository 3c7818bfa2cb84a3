#pragma once

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/cron.hpp>

// Moments as text, in UTC: "2026-03-29 01:00:00".

namespace weft_test {

inline weft::jobs::moment at(const std::string& text) {
  std::tm parts{};
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                        &parts.tm_hour, &parts.tm_min, &parts.tm_sec),
            6)
      << text;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return weft::jobs::moment(std::chrono::seconds(::timegm(&parts)));
}

inline std::string to_text(weft::jobs::moment when) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%F %T", &parts);
  return text;
}

inline std::vector<std::string> to_texts(const std::vector<weft::jobs::moment>& all) {
  std::vector<std::string> texts;
  for (const auto one : all) texts.push_back(to_text(one));
  return texts;
}

/// The next `count` times after a moment.
inline std::vector<std::string> next_times(const weft::jobs::cron& schedule, const std::string& after,
                                           int count) {
  std::vector<std::string> found;
  auto last = at(after);
  for (int i = 0; i < count; ++i) {
    last = schedule.next_after(last);
    found.push_back(to_text(last));
  }
  return found;
}

}  // namespace weft_test
