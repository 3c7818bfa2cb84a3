// `weft dashboard`, the real program.
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/process/program.hpp>

#include "cli/jobs_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using weft::process::exit_status;

class weft_dashboard : public weft_test::jobs_commands {
 protected:
  weft_test::command_outcome dashboard(std::vector<std::string> rest) {
    std::vector<std::string> all{"dashboard", "--db", url()};
    all.insert(all.end(), rest.begin(), rest.end());
    return weft_test::run_weft(std::move(all));
  }
  std::string token_file(const std::string& token) {
    std::string path = folder_ / "token";
    std::ofstream(path) << token << '\n';
    return path;
  }
};

TEST_F(weft_dashboard, serves_the_page_and_who_has_the_token_that_it_prints) {
  queue();
  weft::run([&] {
    weft::process::program_options how;
    how.err = weft::process::stream_target::null();
    weft::process::program served({WEFT_PROGRAM, "dashboard", "--db", url(), "--listen", "127.0.0.1:0"}, how);
    const std::string line = served.out().read_line().value_or("");
    const auto mark = line.find("/#token=");
    ASSERT_NE(mark, std::string::npos) << line;
    const std::string token = line.substr(mark + 8);
    weft::http::client client(line.substr(0, mark));
    EXPECT_EQ(client.get("/").status(), 200);
    EXPECT_EQ(client.get("/api/overview").status(), 401);
    EXPECT_EQ(client.get("/api/overview", {.headers = {{"Authorization", "Bearer " + token}}}).status(), 200);
    served.kill(SIGTERM);
    EXPECT_EQ(served.wait_for(60s), exit_status::exited(0));
  });
}

TEST_F(weft_dashboard, serves_others_only_with_a_token_of_ones_own_and_a_name) {
  queue();
  for (const auto& rest :
       {std::vector<std::string>{"--listen", "0.0.0.0:0"},
        {"--listen", "*:0", "--host", "jobs.example.org"},
        {"--listen", "0.0.0.0:0", "--operator-token-file", token_file("0123456789abcdef")}}) {
    const auto refused = dashboard(rest);
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.err.find("--operator-token-file"), std::string::npos) << refused.err;
  }
}

TEST_F(weft_dashboard, tokens_are_read_and_have_to_be_long) {
  queue();
  EXPECT_EQ(dashboard({"--operator-token-file", folder_ / "none"}).status, 1);
  const auto refused = dashboard({"--listen", "127.0.0.1:0", "--operator-token-file", token_file("short")});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("16 characters"), std::string::npos) << refused.err;
}

}  // namespace
