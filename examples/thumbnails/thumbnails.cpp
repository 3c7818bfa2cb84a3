// Pictures are made small in worker processes: as many at once as there are processors, and a picture that
// brings its decoder down costs its own thumbnail only.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/run.hpp>
#include <weft/workers/main.hpp>

namespace {

using namespace std::chrono_literals;

struct size {
  int width = 0, height = 0;
};
WEFT_DESCRIBE(size, width, height);  // so that it can be an answer

/// Somebody else's decoder, in C, with a bug.
size shrink(std::string picture, size whole) {
  if (picture == "broken") ::raise(SIGSEGV);
  return {whole.width / 100, whole.height / 100};
}

void offer(weft::services&, weft::workers::interfaces& offered) { offered.add("shrink", &shrink); }

std::string thumbnail(weft::workers::client& pool, const std::string& picture) {
  const size whole = picture == "dog" ? size{400, 300} : size{800, 600};
  try {
    const auto small = pool.call<size>("shrink", picture, whole);
    return std::to_string(small.width) + " x " + std::to_string(small.height);
  } catch (const weft::workers::worker_died& died) {
    return "no thumbnail, " + to_string(weft::process::exit_status::signaled(died.status().value));
  }
}

int make_all() {
  weft::workers::client pool({.max_workers = 2, .timeout = 10s, .limits = {.core_bytes = 0}});
  const std::vector<std::string> pictures{"cat", "broken", "dog"};
  const auto lines =
      weft::map_limited(pictures, 2, [&](const std::string& one) { return thumbnail(pool, one); });
  for (std::size_t i = 0; i < lines.size(); ++i)
    std::printf("%s: %s\n", pictures[i].c_str(), lines[i].c_str());
  std::printf("%d of %d workers died\n", static_cast<int>(pool.statistics().deaths),
              static_cast<int>(pool.statistics().started));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::main(argc, argv, offer, [] { return weft::run(make_all); });
}
