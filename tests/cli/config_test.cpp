// The settings of the weft command, and what they do to its options.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

#include "cli/run_weft.hpp"
#include "cli/work_settings.hpp"
#include "support/scratch_folder.hpp"

namespace {

using weft_test::run_weft;

class cli_config : public testing::Test {
 protected:
  cli_config() {
    for (const char* const name : {"WEFT_DB", "WEFT_KEYS", "WEFT_KEY_FILE", "WEFT_WORK_CONCURRENCY"})
      ::unsetenv(name);
    ::setenv("WEFT_CONFIG", path_.c_str(), 1);
  }
  ~cli_config() override {
    ::unsetenv("WEFT_CONFIG");
    ::unsetenv("WEFT_DB");
  }
  void write(const std::string& text) { std::ofstream(path_) << text; }

  weft_test::scratch_folder folder_;
  const std::string path_ = folder_ / "config.toml";
  const std::string db_ = "sqlite:" + folder_ / "jobs.db";
};

TEST_F(cli_config, shows_what_is_set_and_by_whom) {
  write("db = \"memory:\"\n\n[work]\nconcurrency = 5\nqueues = [\"a\", \"b\"]\nstop_grace = \"1m\"\n");
  EXPECT_EQ(
      run_weft({"config", "show"}).out,
      "db = \"memory:\"\nwork.queues = [\"a\", \"b\"]\nwork.concurrency = 5\nwork.stop_grace = \"1m\"\n");
  ::setenv("WEFT_DB", "sqlite:other", 1);
  const auto shown = run_weft({"config", "show", "--origin"}).out;
  EXPECT_NE(shown.find("db = \"sqlite:other\"  # $WEFT_DB\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("work.concurrency = 5  # " + path_ + ":4\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("work.kill_grace = (not set)  # built in\n"), std::string::npos) << shown;
  const auto json = run_weft({"config", "show", "--json"}).out;
  EXPECT_NE(json.find("{\"name\":\"work.concurrency\",\"value\":\"5\",\"origin\":\"" + path_ +
                      ":4\",\"reloaded\":true}"),
            std::string::npos)
      << json;
  EXPECT_NE(
      json.find("{\"name\":\"work.kill_grace\",\"value\":null,\"origin\":\"built in\",\"reloaded\":false}"),
      std::string::npos)
      << json;
}

/// The table of docs/command-line.md that says what a worker that runs takes over.
TEST_F(cli_config, the_document_says_of_each_setting_whether_it_is_reloaded) {
  write("");
  const auto json = run_weft({"config", "show", "--json"}).out;
  const auto whole = weft::wire::from_json<weft::wire::json_value>(json);
  std::ifstream in(WEFT_COMMAND_LINE_DOCUMENT);
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  std::size_t settings = 0, rows = 0;
  for (const auto& one : *whole.if_object()->find("settings")->if_list()) {
    const auto name = std::string(*one.if_object()->find("name")->if_text());
    const bool reloaded = *one.if_object()->find("reloaded")->if_boolean();
    const auto row = document.find("\n| `" + name + "` |");
    ASSERT_NE(row, std::string::npos) << name;
    const auto line = document.substr(row + 1, document.find('\n', row + 1) - row - 1);
    EXPECT_TRUE(line.ends_with(reloaded ? "| at SIGHUP |" : "| at the next start |")) << line;
    ++settings;
  }
  for (const char* const end : {"| at SIGHUP |\n", "| at the next start |\n"}) {
    for (auto at = document.find(end); at != std::string::npos; at = document.find(end, at + 1)) ++rows;
  }
  EXPECT_EQ(rows, settings) << "the table has a row of no setting";
}

TEST_F(cli_config, a_setting_is_reloaded_only_where_the_reload_knows_it) {
  EXPECT_TRUE(weft::cli::is_reloaded("work.queues"));
  EXPECT_FALSE(weft::cli::is_reloaded("work.of_tomorrow"));
}

TEST_F(cli_config, is_checked) {
  write("db = \"memory:\"\n");
  const auto good = run_weft({"config", "check"});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.out, "the settings are in order: " + path_ + "\n");
  write("bd = \"memory:\"\n[work]\nconcurrency = \"many\"\n");
  const auto bad = run_weft({"config", "check"});
  EXPECT_EQ(bad.status, 78);
  EXPECT_EQ(bad.out, "");
  EXPECT_NE(bad.err.find(path_ + ":1: there is no setting \"bd\"; did you mean db?"), std::string::npos)
      << bad.err;
  EXPECT_NE(bad.err.find(path_ + ":3: work.concurrency wants a number"), std::string::npos) << bad.err;
  const auto other = run_weft({"config", "check", "--file", folder_ / "none.toml"});
  EXPECT_EQ(other.status, 78);
  EXPECT_NE(other.err.find("none.toml"), std::string::npos) << other.err;
}

TEST_F(cli_config, gives_options_their_values_where_they_are_not_said) {
  write("db = \"" + db_ + "\"\nkey_file = \"" + folder_ / "keys" + "\"\n[work]\nqueues = [\"night\"]\n");
  ASSERT_EQ(run_weft({"keys", "generate", folder_ / "keys"}).status, 0);
  const auto pushed = run_weft({"jobs", "push", "--queue", "night", "--exec", "--", "true"});
  ASSERT_EQ(pushed.status, 0) << pushed.err;
  EXPECT_EQ(run_weft({"work", "--once"}).status, 0);
  const auto listed = run_weft({"jobs", "list", "--state", "done"});
  EXPECT_NE(listed.out.find(pushed.out.substr(0, pushed.out.size() - 1)), std::string::npos)
      << listed.out << listed.err;
  EXPECT_EQ(run_weft({"jobs", "push", "--db", "memory:", "--exec", "--", "true"}).status, 0);
  ::setenv("WEFT_DB", ("sqlite:" + folder_ / "none.db").c_str(), 1);
  EXPECT_EQ(run_weft({"jobs", "list"}).status, 1) << "the environment overrules the file";
}

TEST_F(cli_config, that_is_bad_stops_every_command_but_those_about_it) {
  write("bd = \"memory:\"\n");
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"doctor"}, {"jobs", "list", "--db", "memory:"}, {"explain"}}) {
    const auto done = run_weft(command);
    EXPECT_EQ(done.status, 78) << command.front();
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err.find("did you mean db?"), std::string::npos) << done.err;
  }
}

}  // namespace
