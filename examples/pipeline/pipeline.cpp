// A pipeline as in Go: a reader, three counters and a collector, joined by channels that hold a few values.
// Who is ahead waits, so memory stays small however long the input is; the end of the input runs through by
// itself.
#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

using namespace std::chrono_literals;
using counts = std::map<std::string, int>;

counts count(const std::string& line) {
  counts made;
  std::istringstream words(line);
  for (std::string word; words >> word;) ++made[word];
  return made;
}

int run() {
  weft::channel<std::string> lines(4);
  weft::channel<counts> counted(4);
  std::size_t ahead = 0;

  weft::scope stages;
  stages.go([&] {
    for (int i = 0; i < 100; ++i) {
      lines.push("the line " + std::to_string(i));  // waits while four are there
      ahead = std::max(ahead, lines.size());
    }
    lines.close();
  });
  stages.go([&] {
    weft::scope counters;
    for (int i = 0; i < 3; ++i) {
      counters.go([&] {
        for (const auto& line : lines) {  // until it is closed and empty
          weft::sleep_for(1ms);           // they are slow
          counted.push(count(line));
        }
      });
    }
    counters.join();
    counted.close();
  });

  counts all;
  int words = 0;
  for (const auto& part : counted) {
    for (const auto& [word, times] : part) {
      words += times;
      all[word] += times;
    }
  }
  stages.join();
  std::printf("%d words in 100 lines; at most %d lines were ahead of the counters\n", words,
              static_cast<int>(ahead));
  std::printf("the: %d\n", all["the"]);
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
