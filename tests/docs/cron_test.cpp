// What docs/cron.md shows.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/catch_up.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/moments.hpp"

namespace {

using weft_test::at;
using weft_test::next_times;
using texts = std::vector<std::string>;

TEST(docs_cron, next) {
  const auto now = at("2026-03-27 12:00:00");
  // example: cron_next
  const weft::jobs::time_zone berlin("Europe/Berlin");
  const weft::jobs::cron backup("30 2 * * mon-fri", berlin);
  const weft::jobs::moment next = backup.next_after(now);
  // end of example
  EXPECT_EQ(weft_test::to_text(next), "2026-03-30 00:30:00");
}

TEST(docs_cron, refused) {
  std::string seen;
  // example: cron_refused
  try {
    weft::jobs::cron never("0 0 30 2 *");
  } catch (const weft::error& wrong) {
    // cron "0 0 30 2 *": day of month (field 3), at character 5:
    // the month has no such day, so it is never due
    seen = wrong.message();
  }
  // end of example
  EXPECT_EQ(seen,
            "cron \"0 0 30 2 *\": day of month (field 3), at character 5: the month has no such day, so it "
            "is never "
            "due");
}

// The table of the days on which clocks are changed: in UTC, what is due from midnight until the next one.
TEST(docs_cron, changed_clocks) {
  const weft::jobs::time_zone berlin("Europe/Berlin");
  const auto march = [&](const char* text, int count) {
    return next_times(weft::jobs::cron(text, berlin), "2026-03-28 23:00:00", count);
  };
  const auto october = [&](const char* text, int count) {
    return next_times(weft::jobs::cron(text, berlin), "2026-10-24 22:00:00", count);
  };
  EXPECT_EQ(march("30 2 * * *", 2), (texts{"2026-03-29 01:00:00", "2026-03-30 00:30:00"}));
  EXPECT_EQ(october("30 2 * * *", 2), (texts{"2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  EXPECT_EQ(march("0,20,40 2 * * *", 2), (texts{"2026-03-29 01:00:00", "2026-03-30 00:00:00"}));
  EXPECT_EQ(october("0,20,40 2 * * *", 4), (texts{"2026-10-25 00:00:00", "2026-10-25 00:20:00",
                                                  "2026-10-25 00:40:00", "2026-10-26 01:00:00"}));
  EXPECT_EQ(march("30 1-3 * * *", 4), (texts{"2026-03-29 00:30:00", "2026-03-29 01:00:00",
                                             "2026-03-29 01:30:00", "2026-03-29 23:30:00"}));
  EXPECT_EQ(october("30 1-3 * * *", 3),
            (texts{"2026-10-24 23:30:00", "2026-10-25 00:30:00", "2026-10-25 02:30:00"}));
  EXPECT_EQ(next_times(weft::jobs::cron("30 * * * *", berlin), "2026-03-29 00:00:00", 2),
            (texts{"2026-03-29 00:30:00", "2026-03-29 01:30:00"}));
  EXPECT_EQ(
      next_times(weft::jobs::cron("30 * * * *", berlin), "2026-10-24 23:00:00", 4),
      (texts{"2026-10-24 23:30:00", "2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"}));
}

TEST(docs_cron, after_a_pause) {
  const auto last = at("2026-01-01 09:05:00");
  const auto now = at("2026-01-01 12:30:00");
  // example: cron_catch_up
  using weft::jobs::catch_up;
  const weft::jobs::cron hourly("@hourly");
  // Down from 9:05 to 12:30: 10:00, 11:00 and 12:00 have passed.
  const auto nothing = due_since(hourly, last, now, catch_up::skip);
  const auto latest = due_since(hourly, last, now, catch_up::one);
  const auto all = due_since(hourly, last, now, catch_up::all, {.fires_max = 24});
  // end of example
  EXPECT_TRUE(nothing.times.empty());
  EXPECT_EQ(weft_test::to_texts(latest.times), (texts{"2026-01-01 12:00:00"}));
  EXPECT_EQ(weft_test::to_texts(all.times),
            (texts{"2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-01 12:00:00"}));
}

struct files {
  std::vector<std::string> copies;
  void copy(weft::jobs::moment due) { copies.push_back(weft_test::to_text(due)); }
};

class set_clock final : public weft::jobs::clock {
 public:
  weft::jobs::moment now() const override { return at_; }
  void set(const std::string& text) { at_ = at(text); }

 private:
  weft::jobs::moment at_ = at("2026-03-27 12:00:00");
};

TEST(docs_cron, schedule) {
  set_clock clock;
  const auto keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k1"));
  weft::jobs::queue queue("memory:", {.keys = keys, .clock = &clock});
  const weft::jobs::time_zone berlin("Europe/Berlin");
  // example: cron_schedule
  queue.schedule("backup", weft::jobs::cron("30 2 * * mon-fri", berlin),
                 weft::closure{weft::named_closure<"backup">([](files& all, weft::jobs::control& job) {
                   all.copy(job.due());  // the time that the job is for
                 })},
                 {.policy = weft::jobs::catch_up::one});
  // end of example
  clock.set("2026-03-31 09:00:00");
  files disk;
  weft::services app;
  app.provide(disk);
  weft::run([&] { weft::jobs::worker(queue, app).run_due(); }, {.stack_bytes = 256 * 1024});
  EXPECT_EQ(disk.copies, texts{"2026-03-31 00:30:00"});
}

}  // namespace
