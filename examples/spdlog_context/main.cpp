// Code that logs with spdlog, on fibers and on the threads of a pool: each record shows the user that was
// bound where the work was started. Status 1: some record shows another one.

#include <cstdio>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <spdlog/async.h>
#include <spdlog/sinks/ostream_sink.h>

#include <weft/context/context.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "context_for_spdlog.hpp"

namespace {

constexpr weft::key_spec user_spec{.name = "app.user", .log = true};
const weft::key<int> user{user_spec};

constexpr int users = 200;
constexpr int records_each = 3;

/// The program's code: it knows spdlog, and nothing of weft::log. The message tells whose it is, to compare.
void serve(spdlog::logger& log, weft::thread_pool& pool, int number) {
  const weft::scoped_value who{user, number};
  log.info("request of {}", number);
  pool.submit([&log, number] { log.info("a thread works for {}", number); }).get();
  weft::yield();
  log.info("answer to {}", number);
}

void serve_all(spdlog::logger& log) {
  weft::thread_pool pool(weft::thread_pool_options::fixed(4));
  weft::scope all;
  for (int i = 1; i <= users; ++i) all.go([&, i] { serve(log, pool, i); });
  all.join();
}

/// Does the line end as in "request of 7 | app.user=7"?
bool is_right(std::string_view line) {
  constexpr std::string_view between = " | app.user=";
  const std::size_t middle = line.find(between);
  if (middle == std::string_view::npos) return false;
  const std::string_view message = line.substr(0, middle);
  return message.substr(message.rfind(' ') + 1) == line.substr(middle + between.size());
}

/// Prints a few lines; does each show the user whom its message names?
bool look_at(const std::string& what, const std::string& written) {
  std::istringstream lines(written);
  int right = 0;
  int all = 0;
  for (std::string line; std::getline(lines, line); ++all) {
    if (all < 3) std::printf("  %s\n", line.c_str());
    right += is_right(line) ? 1 : 0;
  }
  std::printf("%s: %d records, %d with the right user\n\n", what.c_str(), all, right);
  return all == users * records_each && right == all;
}

bool log_directly() {
  std::ostringstream written;
  spdlog::logger log("app", std::make_shared<spdlog::sinks::ostream_sink_mt>(written));
  auto format = std::make_unique<spdlog::pattern_formatter>();
  format->add_flag<context_flag>('*').set_pattern("%l %v | %*");
  log.set_formatter(std::move(format));
  serve_all(log);
  return look_at("a flag in the pattern", written.str());
}

bool log_asynchronously() {
  std::ostringstream written;
  {
    const auto writer = std::make_shared<spdlog::details::thread_pool>(1024, 1);
    const auto behind = std::make_shared<spdlog::async_logger>(
        "app", std::make_shared<spdlog::sinks::ostream_sink_mt>(written), writer);
    behind->set_pattern("%l %v");
    context_logger log("app", behind);
    serve_all(log);
  }  // the writer has written everything
  return look_at("before an asynchronous logger", written.str());
}

}  // namespace

int main() {
  try {
    return weft::run([] {
      const bool directly = log_directly();
      return directly && log_asynchronously() ? 0 : 1;
    });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "spdlog_context: %s\n", failure.what());
    return 2;
  }
}
