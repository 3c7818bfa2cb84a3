// Clients of others: curl, and h2load with its load.
#include <gtest/gtest.h>

#include <fstream>

#include <weft/fiber/run.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/server.hpp>
#include <weft/process/exec.hpp>

#include "http/raw_client.hpp"
#include "support/certificates.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

void add_routes(server& to) {
  to.get("/", [] { return "hello"; });
  to.get("/large", [](response& out) { out.body(std::string(100'000, 'x')); });
  to.get("/pieces", [](response& out) {
    for (int i = 0; i < 20; ++i) out.write("a piece of the answer\n");
  });
  to.post("/length", [](request& in) { return std::to_string(in.body().size()); });
}

TEST(http2_programs, curl_is_served_with_and_without_tls) {
  WEFT_NEED_PROGRAM("/usr/bin/curl");
  run([] {
    weft_test::test_ca ca;
    weft_test::scratch_folder scratch;
    const std::string upload = scratch / "upload";
    std::ofstream(upload) << std::string(700'000, 'x');
    std::ofstream(scratch / "ca.pem") << ca.pem();
    const net::tls::server_context context({.certificates = {ca.make({.names = {"127.0.0.1"}})}});
    for (const bool is_secure : {false, true}) {
      server_options options = on_any_port();
      if (is_secure) options.tls = context;
      server serving(options);
      serving.use(compress());
      add_routes(serving);
      serving.start();
      const auto curl = [&](std::vector<std::string> more, const std::string& path) {
        std::vector<std::string> command{"/usr/bin/curl",
                                         "--silent",
                                         "--show-error",
                                         "--max-time",
                                         "30",
                                         is_secure ? "--http2" : "--http2-prior-knowledge",
                                         "--write-out",
                                         " %{http_code} %{http_version}"};
        if (is_secure) command.insert(command.end(), {"--cacert", scratch / "ca.pem"});
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(serving.url() + path);
        const exec_result result = exec(std::move(command), {.timeout = 60s});
        EXPECT_TRUE(result.ok()) << result.err;
        return result.out;
      };
      EXPECT_EQ(curl({}, "/"), "hello 200 2");
      EXPECT_EQ(curl({"--head", "--output", "/dev/null"}, "/"), " 200 2");
      EXPECT_EQ(curl({"--data-binary", "@" + upload}, "/length"), "700000 200 2");
      EXPECT_EQ(
          curl({"--upload-file", upload, "--request", "POST", "--header", "Expect: 100-continue"}, "/length"),
          "700000 200 2");
      EXPECT_EQ(curl({"--compressed"}, "/large").size(), 100'000u + 6);
      EXPECT_EQ(curl({"--output", "/dev/null"}, "/nowhere"), " 404 2");
      EXPECT_EQ(serving.statistics().http2_violations, 0u);
      serving.stop();
    }
  });
}

TEST(http2_programs, h2load_is_served_without_an_error) {
  WEFT_NEED_PROGRAM("/usr/bin/h2load");
  run([] {
    weft_test::test_ca ca;
    const net::tls::server_context context({.certificates = {ca.make({.names = {"127.0.0.1"}})}});
    for (const bool is_secure : {false, true}) {
      server_options options = on_any_port();
      if (is_secure) options.tls = context;
      server serving(options);
      add_routes(serving);
      serving.start();
      std::uint64_t asked = 0;
      for (const char* const path : {"/", "/large", "/pieces"}) {
        for (const char* const at_once : {"1", "100"}) {
          const exec_result result = exec({"/usr/bin/h2load", "--requests=2000", "--clients=10",
                                           "--max-concurrent-streams", at_once, serving.url() + path},
                                          {.timeout = 60s});
          EXPECT_TRUE(result.ok()) << result.err;
          EXPECT_NE(result.out.find("2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout"),
                    std::string::npos)
              << result.out;
          EXPECT_NE(result.out.find("2000 2xx, 0 3xx, 0 4xx, 0 5xx"), std::string::npos) << result.out;
          asked += 2000;
        }
      }
      EXPECT_EQ(serving.statistics().requests, asked);
      EXPECT_EQ(serving.statistics().http2_connections, 60u);
      EXPECT_EQ(serving.statistics().http2_violations, 0u);
      serving.stop();
    }
  });
}

}  // namespace
}  // namespace weft::http
