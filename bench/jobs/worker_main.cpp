// A worker in a process of its own: weft_bench_jobs_worker URL KEY_FILE. Writes a byte once it works.

#include <memory>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/tell.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  (void)weft::bench::tell_start();  // so that this program has the closure
  weft::jobs::queue queue(
      argv[1], {.keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(argv[2]))});
  weft::services app;
  weft::run([&] {
    weft::jobs::worker worker(queue, app);
    (void)!::write(STDOUT_FILENO, "w", 1);
    worker.run();  // until it is killed
  });
}
