// What shells are told, and that each of them understands it.
#include "cli/completion.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/process/exec.hpp>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

namespace weft::cli {
namespace {

using words = std::vector<std::string>;

std::string asked(words begun) {
  begun.insert(begun.begin(), "__complete");
  const auto done = weft_test::run_weft(std::move(begun));
  EXPECT_EQ(done.status, 0);
  EXPECT_EQ(done.err, "");
  return done.out;
}

/// Without what they are for.
words texts(const std::string& lines) {
  words all;
  for (std::size_t start = 0; start < lines.size();) {
    const auto end = lines.find('\n', start);
    const std::string line = lines.substr(start, end - start);
    all.push_back(line.substr(0, line.find('\t')));
    start = end + 1;
  }
  std::ranges::sort(all);
  return all;
}

TEST(completion, of_commands_and_those_below_them) {
  const auto first = texts(asked({""}));
  for (const char* const name : {"jobs", "work", "call", "workers", "db", "keys", "log", "completion"})
    EXPECT_TRUE(std::ranges::binary_search(first, name)) << name;
  EXPECT_FALSE(std::ranges::binary_search(first, "__complete"));
  EXPECT_EQ(texts(asked({"jo"})), words{"jobs"});
  EXPECT_EQ(asked({"keys", "rot"}), "rotate\tSign with a new key, and verify with the others still\n");
  EXPECT_EQ(asked({"nonsense", ""}), asked({""})) << "an argument that is none changes nothing";
  EXPECT_EQ(asked({}), asked({""}));
}

TEST(completion, of_options) {
  EXPECT_EQ(texts(asked({"jobs", "list", "--st"})), words{"--state"});
  EXPECT_EQ(texts(asked({"jobs", "list", "--state", "dead", "--st"})), words{}) << "it is there already";
  EXPECT_EQ(texts(asked({"jobs", "push", "--tag", "a", "--ta"})), words{"--tag"}) << "it may be again";
  EXPECT_EQ(texts(asked({"db", "--dry"})), words{}) << "of another command";
  EXPECT_EQ(texts(asked({"db", "migrate", "--dry"})), words{"--dry-run"});
}

TEST(completion, of_values) {
  const words states{"blocked", "cancelled", "dead", "done", "quarantined", "ready", "running", "scheduled"};
  EXPECT_EQ(texts(asked({"jobs", "list", "--state", ""})), states);
  EXPECT_EQ(texts(asked({"jobs", "list", "--state", "d"})), (words{"dead", "done"}));
  EXPECT_EQ(texts(asked({"jobs", "list", "--state=q"})), words{"--state=quarantined"});
  EXPECT_EQ(texts(asked({"schedules", "add", "--catch-up", ""})), (words{"all", "one", "skip"}));
  EXPECT_EQ(texts(asked({"completion", ""})), (words{"bash", "fish", "zsh"}));
  EXPECT_EQ(texts(asked({"completion", "bash", ""})), words{}) << "it takes one";
  EXPECT_EQ(texts(asked({"jobs", "list", "--limit", ""})), words{});
}

TEST(completion, of_paths_is_the_shells) {
  EXPECT_EQ(asked({"jobs", "list", "--keys", "k"}), ":files\n");
  EXPECT_EQ(asked({"jobs", "push", "--directory", ""}), ":folders\n");
  EXPECT_EQ(asked({"keys", "list", ""}), ":files\n");
  EXPECT_EQ(asked({"jobs", "push", "--exec", "--", "ba"}), ":files\n");
  EXPECT_EQ(asked({"jobs", "list", "--db", "sq"}), "sqlite:\ta file of SQLite\n");
}

/// Names that a database knows, as the program itself says them at a prompt.
class completion_of_names : public testing::Test {
 protected:
  static constexpr const char* program = WEFT_PROGRAM_FOLDER "/weft";

  words asked_of(const std::string& url, words begun) {
    begun.insert(begun.begin(), {program, "__complete"});
    const auto done = exec(begun, {.program = {.environment = {"WEFT_DB=" + url}}});
    EXPECT_EQ(done.status, process::exit_status::exited(0));
    EXPECT_EQ(done.err, "");
    return texts(done.out);
  }
  words asked_here(words begun) { return asked_of(url_, std::move(begun)); }
  std::string push(const std::string& queue, const words& tags = {}) {
    words command{program, "jobs", "push", "--db", url_, "--keys", folder_ / "keys", "--queue", queue};
    for (const auto& one : tags) command.insert(command.end(), {"--tag", one});
    command.insert(command.end(), {"--exec", "--", "true"});
    const auto done = exec(command);
    EXPECT_TRUE(done.ok()) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }
  void SetUp() override {
    ASSERT_EQ(weft_test::run_weft({"keys", "generate", folder_ / "keys"}).status, 0);
    first_ = push("mail", {"urgent"});
    push("reports");
    EXPECT_TRUE(exec({program, "limits", "set", "--db", url_, "tenant:7", "--max", "2"}).ok());
    for (const char* const hostile : {"$(reboot)", "a b", "`x`", "-x", "x;y"})
      push(std::string("q") + hostile);
  }

  const weft_test::scratch_folder folder_;
  const std::string url_ = "sqlite:" + folder_ / "jobs.db";
  std::string first_;
};

TEST_F(completion_of_names, queues_jobs_tags_and_limits) {
  EXPECT_EQ(asked_here({"jobs", "list", "--queue", "m"}), words{"mail"});
  EXPECT_EQ(asked_here({"jobs", "list", "--queue=r"}), words{"--queue=reports"});
  EXPECT_EQ(asked_here({"jobs", "pause", "re"}), words{"reports"});
  EXPECT_EQ(asked_here({"work", "--queue", "ma"}), words{"mail"});
  EXPECT_EQ(asked_here({"jobs", "list", "--tag", ""}), words{"urgent"});
  EXPECT_EQ(asked_here({"jobs", "show", first_}), words{first_});
  EXPECT_EQ(asked_here({"jobs", "retry", ""}).size(), 7U);
  EXPECT_EQ(asked_here({"jobs", "show", "x"}), words{});
  EXPECT_EQ(asked_here({"limits", "release", "te"}), words{"tenant:7"});
  EXPECT_EQ(asked_here({"limits", "set", "x"}), words{});
  EXPECT_EQ(asked_of("", {"jobs", "list", "--db", url_, "--queue", "m"}), words{"mail"});
  EXPECT_EQ(asked_of("", {"jobs", "list", "--db=" + url_, "--queue", "m"}), words{"mail"});
}

TEST_F(completion_of_names, but_none_that_mean_something_to_a_shell) {
  EXPECT_EQ(asked_here({"jobs", "list", "--queue", ""}), (words{"mail", "q-x", "reports"}));
}

TEST_F(completion_of_names, says_nothing_where_there_is_no_database_or_one_that_does_not_answer) {
  EXPECT_EQ(asked_of("sqlite:" + folder_ / "missing.db", {"jobs", "list", "--queue", ""}), words{});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "missing.db"));
  EXPECT_EQ(asked_of("nonsense", {"jobs", "list", "--queue", ""}), words{});
  EXPECT_EQ(asked_of("", {"jobs", "list", "--queue", ""}), words{});
  // A server that takes connections and never says a word.
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(silent, 16), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&at), &length), 0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(asked_of("postgres://weft@127.0.0.1:" + std::to_string(ntohs(at.sin_port)) + "/jobs",
                     {"jobs", "list", "--queue", ""}),
            words{});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  ::close(silent);
}

/// A shell that has read the script answers as it would at its prompt.
class completion_in : public testing::Test {
 protected:
  std::string run(const words& command) {
    const auto done = exec(command, {.program = {.environment = {path_}}});
    EXPECT_TRUE(done.ok()) << done.err;
    EXPECT_EQ(done.err, "");
    return done.out;
  }
  /// With a job of the queue "mail".
  static void make_database(const weft_test::scratch_folder& in) {
    ASSERT_EQ(weft_test::run_weft({"keys", "generate", in / "keys"}).status, 0);
    const auto pushed = exec({WEFT_PROGRAM_FOLDER "/weft", "jobs", "push", "--db", "sqlite:" + in / "jobs.db",
                              "--keys", in / "keys", "--queue", "mail", "--exec", "--", "true"});
    ASSERT_TRUE(pushed.ok()) << pushed.err;
  }
  std::string script(const std::string& shell) {
    const auto done = weft_test::run_weft({"completion", shell});
    EXPECT_EQ(done.status, 0);
    return done.out;
  }

  const std::string path_ = "PATH=" WEFT_PROGRAM_FOLDER ":/usr/bin:/bin";
};

TEST_F(completion_in, bash) {
  const auto at = [&](const std::string& line) {
    return texts(run({"bash", "--norc", "-c",
                      script("bash") + "COMP_WORDS=(" + line +
                          "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _weft; "
                          "printf '%s\\n' \"${COMPREPLY[@]}\""}));
  };
  EXPECT_EQ(at("weft jo"), words{"jobs"});
  EXPECT_EQ(at("weft jobs list --state d"), (words{"dead", "done"}));
  EXPECT_EQ(at("weft jobs list --state = d"), (words{"dead", "done"})) << "taken apart at =";
  EXPECT_EQ(at("weft jobs list --state ="), at("weft jobs list --state ''"));
  EXPECT_EQ(at("weft jobs list --db sqlite : ''"), words{""}) << "nothing more is known";
  const weft_test::scratch_folder folder;
  make_database(folder);
  EXPECT_EQ(at("weft jobs list --db sqlite : " + folder / "jobs.db" + " --queue m"), words{"mail"});
  EXPECT_EQ(at("weft keys list /etc/host"), at("weft jobs list --keys /etc/host"));
  const auto files = at("weft keys list /etc/host");
  EXPECT_NE(std::ranges::find(files, "/etc/hosts"), files.end());
}

TEST_F(completion_in, zsh) {
  // Its own functions need a terminal: these say what they are given.
  const auto at = [&](const std::string& line) {
    return run(
        {"zsh", "-f", "-c",
         "compdef() { }\n_describe() { print -rl -- \"${(@P)2}\" }\n_files() { print files \"$@\" }\n" +
             script("zsh") + "words=(" + line + "); CURRENT=${#words}; _weft"});
  };
  EXPECT_EQ(at("weft jo"), "jobs:Push jobs, look at them, and decide about them\n");
  EXPECT_EQ(at("weft jobs list --state d"), "done\ndead\n");
  EXPECT_EQ(at("weft jobs list --db ''"),
            "sqlite\\::a file of SQLite\npostgres\\://:a database of PostgreSQL\n");
  const weft_test::scratch_folder folder;
  make_database(folder);
  EXPECT_EQ(at("weft jobs list --db sqlite:" + folder / "jobs.db" + " --queue m"), "mail\n");
  EXPECT_EQ(at("weft keys list ''"), "files\n");
  EXPECT_EQ(at("weft jobs push --directory ''"), "files -/\n");
}

TEST_F(completion_in, fish) {
  const weft_test::scratch_folder home;
  const auto at = [&](const std::string& line) {
    const auto done = exec({"fish", "--no-config", "-c", script("fish") + "complete -C '" + line + "'"},
                           {.program = {.environment = {path_, "HOME=" + home.path()}}});
    EXPECT_TRUE(done.ok()) << done.err;
    return done.out;
  };
  EXPECT_EQ(at("weft jo"), "jobs\tPush jobs, look at them, and decide about them\n");
  EXPECT_EQ(texts(at("weft jobs list --state d")), (words{"dead", "done"}));
  EXPECT_EQ(texts(at("weft jobs list --state=d")), (words{"--state=dead", "--state=done"}));
  make_database(home);
  EXPECT_EQ(at("weft jobs list --db sqlite:" + home / "jobs.db" + " --queue m"), "mail\n");
  EXPECT_NE(at("weft keys list /etc/host").find("/etc/hosts"), std::string::npos);
}

TEST(manual, has_a_page_of_each_command_that_the_formatter_reads_without_a_warning) {
  const weft_test::scratch_folder folder;
  ASSERT_EQ(weft_test::run_weft({"manual", folder.path()}).status, 0);
  auto commands = texts(asked({""}));
  ASSERT_GT(commands.size(), 8U);
  commands.insert(commands.begin(), "");
  for (const auto& one : commands) {
    const std::string page = folder / (one.empty() ? "weft.1" : "weft-" + one + ".1");
    const auto shown = exec({"groff", "-man", "-Tascii", "-ww", "-P-cbou", page});
    EXPECT_TRUE(shown.ok()) << page;
    EXPECT_EQ(shown.err, "") << page;
    EXPECT_NE(shown.out.find("weft" + (one.empty() ? one : " " + one)), std::string::npos) << page;
    EXPECT_NE(shown.out.find("EXIT STATUS"), std::string::npos);
  }
  const auto jobs = exec({"groff", "-man", "-Tascii", "-P-cbou", folder / "weft-jobs.1"}).out;
  for (const char* const text :
       {"--state STATE", "WEFT_DB", "weft jobs push", "--rate-limit KEY=NUMBER/SPAN"})
    EXPECT_NE(jobs.find(text), std::string::npos) << text;
}

TEST(manual, that_cannot_be_written_is_an_error) {
  const auto done = weft_test::run_weft({"manual", "/dev/null/folder"});
  EXPECT_EQ(done.status, 1);
  EXPECT_NE(done.err.find("weft manual: "), std::string::npos) << done.err;
}

}  // namespace
}  // namespace weft::cli
