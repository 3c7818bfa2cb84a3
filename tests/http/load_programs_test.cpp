#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/process/exec.hpp>

#include "http/raw_client.hpp"
#include "support/programs.hpp"

// wrk and h2load: others' ideas of keeping connections and of sending ahead, at a rate that finds what is
// wrong once in a thousand times.

namespace weft::http {
namespace {

using namespace std::chrono_literals;

/// What the program says of a server with an answer of a few bytes (/), a large one (/large) and a streamed
/// one (/pieces); `path` is put behind the server's URL as the last argument.
std::string run_against(std::vector<std::string> command, const std::string& path, std::uint64_t& requests) {
  std::string said;
  run([&] {
    server serving(on_any_port());
    serving.get("/", [] { return "hello"; });
    const std::string large(100'000, 'x');
    serving.get("/large", [&large](response& out) { out.body(large); });
    serving.get("/pieces", [](response& out) {
      for (int i = 0; i < 20; ++i) out.write("a piece of the answer\n");
    });
    serving.start();
    command.push_back(serving.url() + path);
    const exec_result result = exec(std::move(command), {.timeout = 60s});
    EXPECT_TRUE(result.ok()) << result.err;
    EXPECT_EQ(serving.statistics().refused_requests, 0u);
    requests = serving.statistics().requests;
    said = result.out;
    serving.stop();
  });
  return said;
}

TEST(load_programs, wrk_keeps_connections_without_an_error) {
  WEFT_NEED_PROGRAM("/usr/bin/wrk");
  for (const char* const path : {"/", "/pieces"}) {
    std::uint64_t requests = 0;
    const std::string said =
        run_against({"/usr/bin/wrk", "--threads=1", "--connections=32", "--duration=1s"}, path, requests);
    EXPECT_EQ(said.find("Socket errors"), std::string::npos) << said;
    EXPECT_EQ(said.find("Non-2xx"), std::string::npos) << said;
    EXPECT_NE(said.find(" requests in "), std::string::npos) << said;
    EXPECT_GT(requests, 32u) << said;
  }
}

TEST(load_programs, h2load_sends_ahead_without_an_error) {
  WEFT_NEED_PROGRAM("/usr/bin/h2load");
  for (const char* const path : {"/", "/large", "/pieces"}) {
    for (const char* const ahead :
         {"1", "8"}) {  // requests that are sent before the answer to the first is here
      std::uint64_t requests = 0;
      const std::string said = run_against(
          {"/usr/bin/h2load", "--h1", "--requests=2000", "--clients=20", "--max-concurrent-streams", ahead},
          path, requests);
      EXPECT_NE(said.find("2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout"), std::string::npos)
          << said;
      EXPECT_NE(said.find("2000 2xx, 0 3xx, 0 4xx, 0 5xx"), std::string::npos) << said;
      EXPECT_EQ(requests, 2000u);
    }
  }
}

}  // namespace
}  // namespace weft::http
