// When is "half past two, each night" in the night in which there is no half past two? A cron expression is a
// value that tells times; queue.schedule() pushes a job at each of them.
//
//     cron_times                                   the change of 2026 in Berlin
//     cron_times "0 9 * * mon-fri" Asia/Tokyo      the next three from now on
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>

#include <weft/jobs/cron.hpp>

namespace {

namespace jobs = weft::jobs;

/// As the clocks of the zone show it; libc knows the zone by TZ.
void print(jobs::moment when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  char text[64];
  std::strftime(text, sizeof text, "%a %Y-%m-%d %H:%M %Z", std::localtime(&seconds));
  std::puts(text);
}

void print_next(const char* expression, const char* zone, jobs::moment from) {
  ::setenv("TZ", zone, 1);
  const jobs::cron due(expression, jobs::time_zone(zone));
  for (int i = 0; i < 3; ++i) {
    from = due.next_after(from);
    print(from);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3) {
      print_next(argv[1], argv[2], jobs::clock::system().now());
    } else {
      using namespace std::chrono;
      print_next("30 2 * * *", "Europe/Berlin", jobs::moment(sys_days(year(2026) / 3 / 27) + 12h));
    }
    return 0;
  } catch (const std::exception& wrong) {
    std::fprintf(stderr, "%s\n", wrong.what());  // names the field and the character
    return 2;
  }
}
