// Programs of others, from fibers: their streams are fed and read while they run, the time they may take is
// bounded, and each is killed with all that it started where nobody wants its answer any more.
#include <chrono>
#include <cstdio>
#include <string>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/process/exec.hpp>

namespace {

using namespace std::chrono_literals;

std::string most_frequent(const std::string& words) {
  const auto sorted = weft::exec({"sort"}, {.input = words});
  const auto counted = weft::exec({"uniq", "-c"}, {.input = sorted.out});
  const auto best = weft::exec({"sort", "-rn"}, {.input = counted.out});
  const auto line = best.out.substr(0, best.out.find('\n'));
  return line.substr(line.rfind(' ') + 1);
}

std::string slow() {
  try {
    weft::exec({"sleep", "3600"}, {.timeout = 50ms});
    return "was not";
  } catch (const weft::error& late) {
    return late.code() == weft::errc::timed_out ? "was ended in time" : late.what();
  }
}

int run() {
  weft::scope all;  // side by side
  auto word = all.go([] { return most_frequent("tea\nmilk\ntea\n"); });
  auto ended = all.go([] { return slow(); });
  auto sum = all.go([] { return weft::exec(weft::process::shell("echo $((6 * 7))")).out; });
  all.join();
  std::printf("the most frequent word: %s\n", word.join().c_str());
  std::printf("the slow one %s\n", ended.join().c_str());
  std::printf("the shell says %s", sum.join().c_str());
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
