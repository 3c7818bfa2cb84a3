// An order and the job that mails its receipt are one transaction: both are there, or neither, also where the
// process is killed between the two statements.
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <weft/closure/services.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

namespace jobs = weft::jobs;

struct mailer {
  weft::event sent;
};

weft::closure<> receipt(std::string thing) {
  return {weft::named_closure<"order.receipt">([](mailer& by, std::string what) {
            std::printf("a mail about %s goes out\n", what.c_str());
            by.sent.set();
          }),
          std::move(thing)};
}

void order(jobs::queue& queue, const std::string& thing) {
  try {
    queue.transact([&](jobs::transaction& both) {
      both.push(receipt(thing));  // undone with the rest
      both.execute("INSERT INTO orders (thing) VALUES (?)", thing);
      if (both.execute("UPDATE stock SET left = left - 1 WHERE thing = ? AND left > 0", thing) == 0)
        throw weft::error(weft::errc::not_found, "the shop has none");
    });
    std::printf("%s: ordered\n", thing.c_str());
  } catch (const weft::error& refused) {
    std::printf("%s: %s\n", thing.c_str(), refused.what());
  }
}

int sell(const std::string& url) {
  jobs::queue queue(url, {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("demo"))});
  queue.transact([](jobs::transaction& both) {
    both.execute("CREATE TABLE IF NOT EXISTS orders (thing TEXT)");
    both.execute("CREATE TABLE IF NOT EXISTS stock (thing TEXT, left INTEGER)");
    both.execute("INSERT INTO stock VALUES ('tea', 1)");
  });
  mailer mails;
  weft::services app;
  app.provide(mails);
  jobs::worker worker(queue, app, {.pass_on_logs = false});
  order(queue, "tea");
  auto working = weft::go([&] { worker.run(); });
  mails.sent.wait();
  order(queue, "coffee");
  worker.stop();
  working.join();
  const auto rows = queue.transact([](jobs::transaction& in) { return in.query("SELECT * FROM orders"); });
  std::printf("%d order, %d job\n", static_cast<int>(rows.size()), static_cast<int>(queue.list({}).size()));
  return 0;
}

}  // namespace

int main() {
  const auto folder = std::filesystem::temp_directory_path() / ("weft-order-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const int status = weft::run([&] { return sell("sqlite:" + (folder / "jobs.db").string()); });
  std::filesystem::remove_all(folder);
  return status;
}
