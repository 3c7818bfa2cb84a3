// The nightly reports of three shops, as jobs that survive this process: a schedule pushes a job each night,
// that one a batch of reports, and a mail that waits for the batch. One report fails, and is tried again.
//
//     night_jobs           keeps its jobs in memory
//     night_jobs FILE      in a database; look at it with `weft jobs list --db sqlite:FILE`
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

namespace jobs = weft::jobs;
using namespace std::chrono_literals;

/// What the jobs work with. The worker lends it to them by its type: no job carries it.
struct office {
  int questions = 0;
  weft::event mail_is_out;

  int sales_of(const std::string& shop) {
    ++questions;
    return static_cast<int>(shop.size()) * 100;
  }
};

/// The name stands for the function in the database; the shop is the job's own argument.
weft::closure<> report(std::string shop) {
  return weft::closure{
      weft::named_closure<"night.report">([](office& in, jobs::control& job, std::string of) {
        // Kept with the job: the second attempt does not ask the shop again.
        const int sales = job.checkpoint("sales", [&] { return in.sales_of(of); });
        job.progress(1, 2, "asked the shop");  // for `weft jobs show`
        if (of == "Rome" && job.attempt() == 1)
          throw weft::error(weft::errc::busy, "the printer has no paper");
        job.progress(2, 2, "printed");
        std::printf("%s: %d sold, in attempt %d\n", of.c_str(), sales, job.attempt());
      }),
      std::move(shop)};
}

weft::closure<> sum_up() {
  return weft::closure{
      weft::named_closure<"night.sum_up">([](office& in, jobs::queue& queue, jobs::control& job) {
        const auto reports = queue.batch(job.id());
        std::printf("%d of %d reports are done; shops were asked %d times\n", static_cast<int>(reports.done),
                    static_cast<int>(reports.total()), in.questions);
      })};
}

weft::closure<> mail() {
  return weft::closure{weft::named_closure<"night.mail">([](office& in) {
    std::puts("the mail is out");
    in.mail_is_out.set();
  })};
}

weft::closure<> night() {
  return weft::closure{weft::named_closure<"night.night">([](jobs::queue& queue, jobs::control& job) {
    // Each push once, also where this job is interrupted between the two and tried again.
    const auto last = job.checkpoint("reports", [&] {
      return to_string(
          queue.push_batch(std::vector{report("Berlin"), report("Rome"), report("Paris")}, sum_up()).id);
    });
    job.checkpoint("mail", [&] { queue.push(mail(), {.after = {jobs::job_id_from_string(last).value()}}); });
  })};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? std::string("sqlite:") + argv[1] : "memory:";
  // Jobs are signed. A real program has its keys from a file: wire::key_ring::from_environment().
  jobs::queue queue(url, {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  office all;
  weft::services app;
  app.provide(all);
  app.provide(queue);
  return weft::run([&] {
    queue.schedule("night", jobs::cron("30 2 * * *", jobs::time_zone("Europe/Berlin")), night());
    queue.fire_now("night");  // not to wait for half past two
    jobs::worker worker(queue, app, {.concurrency = 1, .retry = {.first = 10ms}, .pass_on_logs = false});
    auto working = weft::go([&] { worker.run(); });
    all.mail_is_out.wait();
    worker.stop();
    working.join();
    const auto stats = queue.stats().at(0);
    const auto left = stats.total() - stats.done;
    std::printf("%d jobs are done, %s is left\n", static_cast<int>(stats.done), left == 0 ? "none" : "one");
    return left == 0 ? 0 : 1;
  });
}
