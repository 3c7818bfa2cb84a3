// A worker of another host: postgres_host URL KEY_FILE BOOK HOST [SECONDS]. Its clock is so many seconds
// ahead. Says which process works, works until a job ends it, and then says how many of its results came too
// late.

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/postgres_host_jobs.hpp"

static time_t clock_ahead = 0;

/// In the place of libc's: whoever asks in this program for what the wall clock shows asks it.
extern "C" int clock_gettime(clockid_t which, timespec* now) noexcept {
  const long failed = ::syscall(SYS_clock_gettime, which, now);
  if (failed == 0 && which == CLOCK_REALTIME) now->tv_sec += clock_ahead;
  return static_cast<int>(failed);
}

namespace {

/// Goes on in a process that nobody else can see: a host is known by the processes that can see each other.
void leave_the_others() {
  if (::unshare(CLONE_NEWPID) != 0) {
    std::perror("unshare");
    std::exit(1);
  }
  const pid_t child = ::fork();
  if (child != 0) {
    std::printf("process %d\n", child);
    std::fflush(stdout);
    ::waitpid(child, nullptr, 0);
    std::exit(0);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  if (argc < 5) return 2;
  if (argc > 5) clock_ahead = std::atoll(argv[5]);
  leave_the_others();
  weft::jobs::queue queue(
      argv[1], {.keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(argv[2]))});
  weft::jobs::run_book book(argv[3], argv[4]);
  weft::jobs::end_of_host over;
  weft::services app;
  app.provide(book);
  app.provide(queue);
  app.provide(over);
  weft::run([&] {
    weft::jobs::worker worker(queue, app,
                              {.queues = {argv[4], "default"},
                               .concurrency = 4,
                               .retry = {.first = 50ms},
                               .crashes_max = 1000,
                               .heartbeat = 200ms,
                               .pass_on_logs = false});
    std::puts("works");
    std::fflush(stdout);
    weft::with_scope([&](weft::scope& in) {
      in.go([&] {
        over.has_come.wait();
        worker.stop();
      });
      worker.run();
    });
    std::printf("stale %llu\n", static_cast<unsigned long long>(worker.statistics().stale));
  });
}
