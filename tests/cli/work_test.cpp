// Commands as jobs, through the real program: pushed by one process, run by others.
#include "cli/work.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/fiber/fiber.hpp>
#include <weft/jobs/command.hpp>
#include <weft/jobs/job_list.hpp>
#include <weft/process/exec.hpp>
#include <weft/process/program.hpp>

#include "cli/jobs_fixture.hpp"
#include "cli/jobs_follow.hpp"
#include "cli/jobs_view.hpp"

namespace {

using namespace std::chrono_literals;
using weft::cli::shown_details;
using weft::jobs::job_id;
using weft::jobs::job_state;
using weft::process::exit_status;
using weft::wire::from_json;

constexpr auto patience = 60s;

/// A zombie, which nobody may reap here, is dead.
bool is_alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") Z") != 0;
}

/// A worker process, which is killed at the end of the test.
class running_worker {
 public:
  running_worker(const std::string& url, const std::string& keys, std::vector<std::string> more)
      : program_(arguments(url, keys, std::move(more)), quiet()) {}

  void signal(int number) { ::kill(program_.pid(), number); }
  exit_status wait() {
    const auto ended = program_.wait_for(patience);
    EXPECT_TRUE(ended) << "the worker does not end";
    return ended.value_or(exit_status{});
  }

 private:
  static std::vector<std::string> arguments(const std::string& url, const std::string& keys,
                                            std::vector<std::string> more) {
    std::vector<std::string> all{WEFT_PROGRAM, "work", "--db", url, "--keys", keys, "--queue", "mail"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static weft::process::program_options quiet() {
    weft::process::program_options how;
    how.out = weft::process::stream_target::null();
    how.err = weft::process::stream_target::null();
    return how;
  }

  weft::process::program program_;
};

class weft_work : public weft_test::jobs_commands {
 protected:
  /// Pushes a command by the program; gives what that did.
  weft_test::command_outcome push(std::vector<std::string> command, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"--keys", keys_, "--queue", "mail", "--exec"});
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return jobs("push", std::move(options));
  }
  job_id pushed(std::vector<std::string> command, std::vector<std::string> options = {}) {
    const auto done = push(std::move(command), std::move(options));
    EXPECT_EQ(done.status, 0) << done.err;
    const auto id = weft::jobs::job_id_from_string(done.out.substr(0, done.out.find('\n')));
    EXPECT_TRUE(id) << done.out;
    return id.value_or(job_id{});
  }
  job_id pushed_script(const std::string& script, std::vector<std::string> options = {}) {
    return pushed({"sh", "-c", script}, std::move(options));
  }
  /// Runs what is due.
  void work(std::vector<std::string> more = {}) {
    more.emplace_back("--once");
    running_worker one(url(), keys_, std::move(more));
    EXPECT_EQ(one.wait(), exit_status::exited(0));
  }
  running_worker start_worker(std::vector<std::string> more = {}) {
    return running_worker(url(), keys_, std::move(more));
  }

  shown_details show(job_id id) {
    return from_json<shown_details>(jobs("show", {to_string(id), "--json", "--keys", keys_}).out);
  }
  std::string out_of(job_id id) {
    const auto shown = show(id);
    const auto* const result = shown.result.if_object();
    return result == nullptr ? "no result: " + shown.job.state : *result->find("out")->if_text();
  }
  static std::string error_of(const shown_details& shown) {
    const auto* const error = shown.attempts.at(0).error.if_object();
    return error == nullptr ? "no error" : *error->find("message")->if_text();
  }
  /// Looks again and again, as the other side is another process.
  template <typename Claim>
  static bool comes_true(Claim claim) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!claim()) {
      if (std::chrono::steady_clock::now() > until) return false;
      ::usleep(10'000);
    }
    return true;
  }
  std::string content(const std::string& name) const {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  job_state state_of(job_id id) { return queue().show(id).value().state; }
};

TEST_F(weft_work, runs_a_command_and_keeps_what_it_printed) {
  const auto id = pushed({"printf", "%s|", "two words", "$HOME", "", "[a,b]", "--", "-x", "list"});
  work();
  EXPECT_EQ(out_of(id), "two words|$HOME||[a,b]|--|-x|list|");
}

TEST_F(weft_work, deletes_what_ended_longer_ago_than_it_is_to_be_kept) {
  const auto good = pushed({"true"});
  const auto bad = pushed({"false"}, {"--attempts", "1"});
  work();
  work({"--keep-done", "1h", "--keep-given-up", "never"});
  EXPECT_EQ(state_of(good), job_state::done);
  work({"--keep-done", "0s", "--keep-given-up", "never"});
  EXPECT_FALSE(queue().show(good));
  EXPECT_EQ(state_of(bad), job_state::dead);
  work({"--keep-given-up", "0s"});
  EXPECT_FALSE(queue().show(bad));
}

TEST_F(weft_work, does_not_begin_what_has_expired) {
  const auto late = pushed({"true"}, {"--expires", "0s"});
  const auto in_time = pushed({"true"}, {"--expires", "1h"});
  work();
  EXPECT_EQ(state_of(late), job_state::dead);
  EXPECT_EQ(state_of(in_time), job_state::done);
}

TEST_F(weft_work, gives_a_command_its_arguments_as_they_are) {
  const std::vector<std::string> odd{
      "it's",  "\"quoted\"", "\\n\\",  "two\nlines", "*",   "$(id)", "`id`", " ",
      "grün→", "-",          "--exec", "--db=x",     "a=b", ";",     "&",    ""};
  std::vector<std::string> all{"printf", "%s|"};
  all.insert(all.end(), odd.begin(), odd.end());
  const auto id = pushed(all);
  const auto reads_nothing = pushed({"cat"});
  work();
  std::string expected;
  for (const auto& one : odd) expected += one + '|';
  EXPECT_EQ(out_of(id), expected);
  EXPECT_EQ(out_of(reads_nothing), "") << "its input is empty";
}

TEST_F(weft_work, says_which_signal_ended_a_command) {
  const auto id = pushed_script("kill -SEGV $$", {"--attempts", "1"});
  work();
  const auto error = error_of(show(id));
  EXPECT_NE(error.find("SIGSEGV"), std::string::npos) << error;
}

TEST_F(weft_work, keeps_to_a_limit_over_all_workers) {
  const auto lock = folder_ / "lock";
  for (int i = 0; i < 6; ++i) {
    pushed_script(
        "mkdir " + lock + " || echo two at a time >> " + (folder_ / "wrong") + "; sleep 0.02; rmdir " + lock,
        {"--concurrency-limit", "disk=1", "--attempts", "1"});
  }
  auto one = start_worker();
  auto other = start_worker();
  EXPECT_TRUE(comes_true([&] { return queue().stats().at(0).ended() == 6; }));
  EXPECT_EQ(queue().stats().at(0).done, 6);
  EXPECT_EQ(content("wrong"), "");
}

TEST_F(weft_work, fails_a_command_that_does_with_the_end_of_its_errors) {
  const auto id = pushed_script("echo printed; echo 'no space' >&2; exit 3", {"--attempts", "1"});
  work();
  const auto shown = show(id);
  EXPECT_EQ(shown.job.state, "dead");
  const auto error = error_of(shown);
  EXPECT_NE(error.find("exit status 3: no space"), std::string::npos) << error;
  const auto log = to_text(shown.attempts[0].log);
  EXPECT_NE(log.find("printed"), std::string::npos) << log;
}

TEST_F(weft_work, tries_again_what_failed) {
  const auto id = pushed_script("echo x >> " + (folder_ / "tries") + "; test $WEFT_JOB_ATTEMPT = 3");
  auto worker = start_worker({"--retry-first", "1ms"});
  EXPECT_TRUE(comes_true([&] { return state_of(id) == job_state::done; }));
  EXPECT_EQ(content("tries"), "x\nx\nx\n");
  EXPECT_EQ(show(id).attempts.size(), 3U);
}

TEST_F(weft_work, gives_a_command_its_directory_and_a_small_environment) {
  setenv("WEFT_TEST_SENT", "along", 1);
  setenv("WEFT_TEST_PASSED", "on", 1);
  setenv("WEFT_TEST_PRIVATE", "secret", 1);
  const auto id =
      pushed_script("pwd; echo $WEFT_JOB_ID $A $WEFT_TEST_SENT $WEFT_TEST_PASSED $WEFT_TEST_PRIVATE",
                    {"--directory", "/usr", "--env", "A=[b]", "--env", "WEFT_TEST_SENT"});
  work({"--pass-env", "WEFT_TEST_PASSED"});
  EXPECT_EQ(out_of(id), "/usr\n" + to_string(id) + " [b] along on\n");
}

TEST_F(weft_work, keeps_the_end_of_much_output) {
  const auto id = pushed_script("seq 1 100000");
  work();
  const auto out = out_of(id);
  EXPECT_EQ(out.size(), weft::jobs::command_output_bytes_max);
  EXPECT_TRUE(out.ends_with("99999\n100000\n"));
  EXPECT_TRUE(*show(id).result.if_object()->find("out_cut")->if_boolean());
}

TEST_F(weft_work, ends_a_command_and_its_children_at_the_timeout) {
  const auto fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto id = pushed_script(
      "exec 3> " + fifo + "; echo step one; echo stuck >&2; echo started >&3; sleep 1000 & sleep 1000",
      {"--timeout", "5s", "--attempts", "1"});
  work();
  const auto shown = show(id);
  EXPECT_EQ(shown.job.state, "dead");
  const auto log = to_text(shown.attempts.at(0).log);
  EXPECT_NE(log.find("a command was ended"), std::string::npos) << log;
  EXPECT_NE(log.find("deadline"), std::string::npos) << log;
  EXPECT_NE(log.find("step one\\n"), std::string::npos) << "what it had printed: " << log;
  const auto error = to_text(shown.attempts.at(0).error);
  EXPECT_NE(error.find("\"jobs: run the command "), std::string::npos) << error;
  EXPECT_NE(error.find("it still ran at its timeout, and was ended: stuck\""), std::string::npos) << error;
  char text[64];
  EXPECT_GT(::read(reader, text, sizeof text), 0);
  EXPECT_TRUE(comes_true([&] { return ::read(reader, text, sizeof text) == 0; })) << "some of them are alive";
  ::close(reader);
}

TEST_F(weft_work, lists_the_jobs_that_it_knows_without_a_database) {
  const auto text = weft_test::run_weft({"work", "--list-jobs"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("  weft.exec("), std::string::npos) << text.out;
  const auto json = weft_test::run_weft({"work", "--list-jobs", "--json", "--retry-first", "3s"});
  const auto all = from_json<weft::jobs::job_list>(json.out);
  EXPECT_EQ(all.retry.first, 3s);
  EXPECT_TRUE(std::ranges::any_of(all.jobs, [](const auto& one) { return one.name == "weft.exec"; }));
  EXPECT_EQ(weft_test::run_weft({"work"}).status, 2);
}

TEST_F(weft_work, takes_over_from_a_worker_that_was_killed) {
  const auto id = pushed_script("echo $$ >> " + (folder_ / "runs") + "; test -e " + (folder_ / "go_on") +
                                " || exec sleep 1000");
  pid_t first_run = 0;
  {
    auto killed = start_worker();
    ASSERT_TRUE(comes_true([&] { return content("runs").ends_with('\n'); }));
    first_run = std::stoi(content("runs"));
    killed.signal(SIGKILL);
    EXPECT_EQ(killed.wait(), exit_status::signaled(SIGKILL));
  }
  EXPECT_TRUE(comes_true([&] { return !is_alive(first_run); })) << "its program goes on without it";
  std::ofstream(folder_ / "go_on").close();
  auto other = start_worker();
  EXPECT_TRUE(comes_true([&] { return state_of(id) == job_state::done; }));
  const auto runs = content("runs");
  EXPECT_EQ(std::count(runs.begin(), runs.end(), '\n'), 2) << runs;
  EXPECT_EQ(show(id).job.crashes, 1);
}

TEST_F(weft_work, ends_in_order_at_a_signal_and_lets_what_runs_end) {
  const auto id = pushed_script("echo x > " + (folder_ / "started") + "; while ! test -e " +
                                (folder_ / "end") + "; do sleep 0.05; done");
  auto worker = start_worker({"--stop-grace", "1h"});
  ASSERT_TRUE(comes_true([&] { return content("started") == "x\n"; }));
  worker.signal(SIGTERM);
  std::ofstream(folder_ / "end").close();
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
  EXPECT_EQ(state_of(id), job_state::done);
}

TEST_F(weft_work, hands_back_at_once_what_runs_at_a_second_signal) {
  const auto id = pushed_script("echo x > " + (folder_ / "started") + "; exec sleep 1000");
  auto worker = start_worker({"--stop-grace", "1h"});
  ASSERT_TRUE(comes_true([&] { return content("started") == "x\n"; }));
  worker.signal(SIGINT);
  // Signals of one number that come together are one.
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(1));
  EXPECT_EQ(state_of(id), job_state::ready);
  EXPECT_EQ(show(id).job.attempts, 0) << "it spends no attempt";
}

TEST_F(weft_work, cancels_a_running_command) {
  const auto id = pushed_script("echo x > " + (folder_ / "started") + "; exec sleep 1000");
  auto worker = start_worker();
  ASSERT_TRUE(comes_true([&] { return content("started") == "x\n"; }));
  EXPECT_EQ(jobs("cancel", {to_string(id)}).status, 0);
  EXPECT_TRUE(comes_true([&] { return state_of(id) == job_state::cancelled; }));
}

TEST_F(weft_work, runs_two_hundred_eight_at_a_time) {
  std::set<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    const auto number = std::to_string(i);
    pushed_script("echo " + number + " >> " + (folder_ / "ran"));
    expected.insert(number);
  }
  work({"--concurrency", "8"});
  std::ifstream in(folder_ / "ran");
  const std::vector<std::string> ran{std::istream_iterator<std::string>(in), {}};
  EXPECT_EQ(ran.size(), 200U) << "each once";
  EXPECT_EQ(std::set<std::string>(ran.begin(), ran.end()), expected);
  EXPECT_EQ(queue().stats().at(0).done, 200);
}

TEST_F(weft_work, pushes_by_delay_priority_uniqueness_tags_and_order) {
  const auto one = pushed({"true"}, {"--unique", "night", "--tag", "a", "--tag", "b"});
  EXPECT_EQ(pushed({"true"}, {"--unique", "night"}), one);
  const auto later = show(pushed({"true"}, {"--delay", "1h", "--priority", "-5", "--attempts", "4"})).job;
  EXPECT_EQ(later.state, "scheduled");
  EXPECT_EQ(later.priority, -5);
  EXPECT_EQ(later.attempts_max, 4);
  EXPECT_EQ(show(one).job.tags, (std::vector<std::string>{"a", "b"}));
  const auto behind = show(pushed({"true"}, {"--after", to_string(one), "--concurrency-limit", "disk=1"}));
  EXPECT_EQ(behind.waits_for, std::vector<std::string>{to_string(one)});
  EXPECT_EQ(behind.limit, "disk");
}

TEST_F(weft_work, pushes_by_moment_rate_and_period_of_uniqueness) {
  EXPECT_EQ(show(pushed({"true"}, {"--at", "2100-01-02T03:04:05Z"})).job.run_at,
            "2100-01-02T03:04:05.000000Z");
  EXPECT_EQ(show(pushed({"true"}, {"--at", "2100-01-02T03:04+01:30"})).job.run_at,
            "2100-01-02T01:34:00.000000Z");
  const auto limited = pushed({"true"}, {"--rate-limit", "mail=1/1h", "--concurrency-limit", "mail=5"});
  pushed({"true"}, {"--rate-limit", "mail=1/1h", "--concurrency-limit", "mail=5"});
  EXPECT_EQ(show(limited).limit, "mail");
  const auto once = pushed({"true"}, {"--unique", "day", "--unique-for", "1h"});
  work();
  EXPECT_EQ(queue().stats().at(0).done, 2) << "one of the rate, and the unique one";
  EXPECT_EQ(pushed({"true"}, {"--unique", "day", "--unique-for", "1h"}), once) << "also after its end";
  for (const auto& bad :
       std::vector<std::vector<std::string>>{{"--at", "tomorrow"},
                                             {"--at", "2100-02-30T00:00Z"},
                                             {"--at", "2100-01-01T25:00Z"},
                                             {"--at", "2100-01-01T00:00Zx"},
                                             {"--at", "2100-01-01T00:00Z", "--delay", "1s"},
                                             {"--rate-limit", "mail=1"},
                                             {"--rate-limit", "mail=0/1s"},
                                             {"--rate-limit", "=1/1s"},
                                             {"--rate-limit", "a=1/1s", "--concurrency-limit", "b=1"},
                                             {"--unique-for", "1h"}})
    EXPECT_EQ(push({"true"}, bad).status, 2) << bad[0] << ' ' << bad[1];
}

TEST_F(weft_work, lets_a_batch_grow_by_a_command) {
  const auto tick = weft::closure{weft::named_closure<"cli.work_tack">([] {})};
  const auto batch = queue().push_batch(std::vector{tick}, tick);
  const auto added = pushed({"true"}, {"--batch", to_string(batch.id)});
  EXPECT_EQ(queue().batch_of(added), batch.id);
  EXPECT_EQ(push({"true"}, {"--batch", to_string(added)}).status, 1) << "that is no batch";
}

class weft_jobs_follow : public weft_work {};

/// `weft jobs list --follow`.
class followed {
 public:
  explicit followed(std::vector<std::string> arguments)
      : program_(
            [&] {
              arguments.insert(arguments.begin(), {WEFT_PROGRAM, "jobs", "list", "--follow"});
              return arguments;
            }(),
            [] {
              weft::process::program_options how;
              how.out = weft::process::stream_target::pipe();
              how.err = weft::process::stream_target::inherit();
              return how;
            }()) {}

  std::string line() {
    const auto read = program_.out().read_line();
    return read ? *read : "(the end: " + to_string(wait()) + ')';
  }
  exit_status stop(int signal) {
    ::kill(program_.pid(), signal);
    return wait();
  }
  void close() { program_.out().close(); }
  exit_status wait() { return program_.wait_for(patience).value_or(exit_status{}); }

 private:
  weft::process::program program_;
};

TEST_F(weft_jobs_follow, shows_each_job_that_comes_or_changes) {
  const auto first = pushed({"true"});
  followed lines({"--db", url(), "--json", "--queue", "mail"});
  const auto next = [&] { return from_json<weft::cli::followed_job>(lines.line()).job; };
  auto job = next();
  EXPECT_EQ(job.id, to_string(first)) << "what there is already";
  EXPECT_EQ(job.state, "ready");
  queue().push(weft::closure{weft::named_closure<"cli.work_tick">([] {})}, {.queue = "other"});
  const auto second = pushed({"false"}, {"--attempts", "1", "--after", to_string(first), "--tag", "last"});
  job = next();
  EXPECT_EQ(job.id, to_string(second)) << "what comes";
  EXPECT_EQ(job.state, "blocked");
  work();
  std::set<std::string> ends;
  while (ends.size() < 2) {
    job = next();
    if (job.state == "done" || job.state == "dead") ends.insert(job.id + job.state);
  }
  EXPECT_EQ(ends, (std::set<std::string>{to_string(first) + "done", to_string(second) + "dead"}));
  EXPECT_EQ(lines.stop(SIGINT), exit_status::exited(0));
}

TEST_F(weft_jobs_follow, shows_jobs_of_a_state_in_words_until_nobody_reads) {
  pushed({"true"});
  followed lines({"--db", url(), "--state", "dead", "--limit", "1"});
  const auto dead = pushed({"false"}, {"--attempts", "1", "--tag", "night"});
  work();
  const auto line = lines.line();
  EXPECT_NE(line.find(to_string(dead) + "  dead  mail  weft.exec  failed 1  night"), std::string::npos)
      << line;
  lines.close();
  pushed({"false"}, {"--attempts", "1"});
  work();
  EXPECT_EQ(lines.wait(), exit_status::exited(1));
}

TEST_F(weft_work, refuses_what_is_no_command_and_what_is_not_signed) {
  EXPECT_EQ(push({}).status, 2);
  EXPECT_EQ(jobs("push", {"--keys", keys_, "--", "true"}).status, 2) << "without --exec";
  EXPECT_EQ(push({"true"}, {"--priority", "99999"}).status, 2);
  EXPECT_EQ(push({"true"}, {"--concurrency-limit", "disk"}).status, 2);
  EXPECT_EQ(push({"true"}, {"--delay", "soon"}).status, 2);
  EXPECT_EQ(push({"\xff"}).status, 1) << "no text";
  EXPECT_EQ(push({"true"}, {"--env", "WEFT_TEST_NOT_THERE"}).status, 1);
  const auto unsigned_one = jobs("push", {"--exec", "--", "true"});
  EXPECT_EQ(unsigned_one.status, 1);
  EXPECT_NE(unsigned_one.err.find("weft keys generate"), std::string::npos) << unsigned_one.err;
  EXPECT_EQ(weft_test::run_weft({"work", "--db", url()}).status, 1) << "no keys";
  EXPECT_EQ(weft_test::run_weft({"work"}).status, 2);
}

}  // namespace
