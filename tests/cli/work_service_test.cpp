// `weft work` as a service: what it tells its manager, what it shows, and what signals do.
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include <weft/http/client.hpp>
#include <weft/process/program.hpp>
#include <weft/wire/json_value.hpp>

#include "cli/jobs_fixture.hpp"
#include "service/fake_manager.hpp"

namespace {

using namespace std::chrono_literals;
using weft::jobs::job_id;
using weft::jobs::job_state;
using weft::process::exit_status;

constexpr auto patience = 60s;

class weft_work_service : public weft_test::jobs_commands {
 protected:
  /// A worker under a manager of its own, whose settings are in a file.
  class running {
   public:
    running(const weft_work_service& of, std::vector<std::string> more)
        : program_(arguments(of, more), how(of)) {}
    /// All of it is said by the settings, but for where.
    explicit running(const weft_work_service& of)
        : program_({WEFT_PROGRAM, "work", "--db", of.url(), "--keys", of.keys_}, how(of)) {}

    void signal(int number) { ::kill(program_.pid(), number); }
    exit_status wait() {
      const auto ended = program_.wait_for(patience);
      EXPECT_TRUE(ended) << "the worker does not end";
      return ended.value_or(exit_status{});
    }

   private:
    static std::vector<std::string> arguments(const weft_work_service& of,
                                              const std::vector<std::string>& more) {
      std::vector<std::string> all{WEFT_PROGRAM, "work",    "--db", of.url(),     "--keys",
                                   of.keys_,     "--queue", "mail", "--log-file", of.log_};
      all.insert(all.end(), more.begin(), more.end());
      return all;
    }
    static weft::process::program_options how(const weft_work_service& of) {
      weft::process::program_options made;
      made.out = weft::process::stream_target::null();
      made.err = weft::process::stream_target::null();
      made.environment = {"NOTIFY_SOCKET=" + of.manager_.address(), "WATCHDOG_USEC=300000",
                          "WEFT_CONFIG=" + of.settings_};
      return made;
    }

    weft::process::program program_;
  };

  weft_work_service() { set(""); }
  void set(const std::string& toml) const { std::ofstream(settings_) << toml; }

  /// The next of these words that the manager hears; others are passed over.
  std::string hear(const std::string& start) {
    std::string word;
    do {
      word = manager_.take();
    } while (!word.empty() && !word.starts_with(start));
    return word;
  }
  template <typename Worker>
  void reload(Worker& worker, const std::string& toml) {
    set(toml);
    worker.signal(SIGHUP);
    EXPECT_TRUE(hear("RELOADING").starts_with("RELOADING=1\n"));
    EXPECT_EQ(hear("READY"), "READY=1") << "in force or not, it goes on";
  }
  job_id pushed_script(const std::string& script) {
    const auto done = jobs("push", {"--keys", keys_, "--queue", "mail", "--exec", "--", "sh", "-c", script});
    EXPECT_EQ(done.status, 0) << done.err;
    return weft::jobs::job_id_from_string(done.out.substr(0, done.out.find('\n'))).value_or(job_id{});
  }
  template <typename Claim>
  static bool comes_true(Claim claim) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!claim()) {
      if (std::chrono::steady_clock::now() > until) return false;
      ::usleep(10'000);
    }
    return true;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool log_has(const std::string& text) const { return content(log_).find(text) != std::string::npos; }
  std::string get(const std::string& path, const std::string& accept = "*/*") const {
    std::string body;
    weft::run([&] {
      body = weft::http::client("unix:" + admin_).get(path, {.headers = {{"Accept", accept}}}).take_body();
    });
    return body;
  }

  weft_test::fake_manager manager_;
  const std::string settings_ = folder_ / "weft.toml";
  const std::string log_ = folder_ / "weft.log";
  const std::string admin_ = folder_ / "admin.sock";
};

}  // namespace

TEST_F(weft_work_service, tells_its_manager_how_it_is) {
  pushed_script("true");
  running worker(*this, {});
  EXPECT_EQ(hear("READY"), "READY=1");
  EXPECT_EQ(hear("WATCHDOG"), "WATCHDOG=1") << "fed by its loop";
  EXPECT_TRUE(comes_true([&] { return hear("STATUS") == "STATUS=done 1, failed 0, given up 0"; }));
  worker.signal(SIGTERM);
  EXPECT_EQ(hear("STOPPING"), "STOPPING=1");
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
}

TEST_F(weft_work_service, hands_back_what_does_not_end_in_its_grace_and_starts_nothing_more) {
  const auto runs = pushed_script("echo x > " + (folder_ / "started") + "; exec sleep 1000");
  running worker(*this, {"--stop-grace", "100ms", "--concurrency", "1"});
  ASSERT_TRUE(comes_true([&] { return content(folder_ / "started") == "x\n"; }));
  const auto waits = pushed_script("true");
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
  EXPECT_EQ(queue().show(runs).value().state, job_state::ready) << "at once, not when its lease is over";
  EXPECT_EQ(queue().show(runs).value().attempts, 0) << "it spends no attempt";
  EXPECT_EQ(queue().show(waits).value().state, job_state::ready);
  EXPECT_TRUE(queue().kept_in().workers().empty()) << "it has left";
}

TEST_F(weft_work_service, shows_metrics_and_health_where_it_is_told_to) {
  pushed_script("true");
  pushed_script("false");
  running worker(*this, {"--admin", "unix:" + admin_});
  EXPECT_EQ(hear("READY"), "READY=1");
  EXPECT_EQ(get("/startupz"), "started\n");
  std::string shown;
  const auto has = [&](const std::string& line) {
    return comes_true([&] {
      shown = get("/metrics");
      return shown.find(line + "\n") != std::string::npos;
    });
  };
  EXPECT_TRUE(has("weft_jobs_attempts_total{queue=\"mail\",outcome=\"done\"} 1")) << shown;
  EXPECT_TRUE(has("weft_jobs_attempts_total{queue=\"mail\",outcome=\"failed\"} 1")) << shown;
  EXPECT_TRUE(has("weft_jobs_retries_total{queue=\"mail\"} 1")) << shown;
  EXPECT_TRUE(has("weft_jobs_run_seconds_count{queue=\"mail\"} 2")) << shown;
  EXPECT_TRUE(has("weft_jobs_worker_slots 10")) << shown;
  EXPECT_TRUE(has("weft_jobs_workers 1")) << shown;
  EXPECT_TRUE(has("weft_log_dropped_total 0")) << shown;
  for (const char* const name :
       {"weft_jobs_queue_depth{queue=\"mail\",state=\"ready\"} ",
        "weft_jobs_oldest_ready_age_seconds{queue=\"mail\"} ", "weft_jobs_sample_age_seconds ",
        "weft_fibers_loop_lag_seconds_count ", "weft_fibers_stack_peak_bytes "})
    EXPECT_NE(shown.find(std::string("\n") + name), std::string::npos) << name << shown;
  const auto open = get("/metrics", "application/openmetrics-text");
  EXPECT_TRUE(open.ends_with("# EOF\n")) << open;
  EXPECT_NE(open.find("# UNIT weft_jobs_wait_seconds seconds\n"), std::string::npos) << open;
  EXPECT_NE(get("/readyz").find("database"), std::string::npos);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
}

TEST_F(weft_work_service, reads_its_settings_again_and_refuses_bad_ones) {
  running worker(*this, {});
  EXPECT_EQ(hear("READY"), "READY=1");
  reload(worker, "[work]\nlog_level = \"debug\"\nkill_grace = \"9s\"\n");
  EXPECT_TRUE(comes_true([&] { return log_has("a setting was changed\" setting=work.log_level now=debug"); }))
      << content(log_);
  EXPECT_TRUE(log_has("it holds from the next start on\" setting=work.kill_grace")) << content(log_);
  reload(worker, "[work]\nlog_levle = \"warn\"\n");
  EXPECT_TRUE(comes_true([&] { return log_has("a reload was refused; what was in force stays"); }))
      << content(log_);
  EXPECT_TRUE(log_has("log_level")) << "it says what may be meant: " << content(log_);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
}

TEST_F(weft_work_service, takes_queues_and_slots_over_while_programs_run) {
  const auto settings = [&](const std::string& more) {
    return "[work]\nlog_file = \"" + log_ + "\"\n" + more;
  };
  set(settings("queues = [\"mail\"]\nconcurrency = 1\n"));
  running worker(*this);
  EXPECT_EQ(hear("READY"), "READY=1");
  const auto holds = [&](const std::string& name) {
    return pushed_script("echo x > " + (folder_ / name) + "; until test -e " + (folder_ / "end") +
                         "; do sleep 0.05; done");
  };
  const auto first = holds("first"), second = holds("second");
  ASSERT_TRUE(comes_true([&] { return content(folder_ / "first") == "x\n"; }));
  EXPECT_EQ(content(folder_ / "second"), "") << "there is one slot";
  reload(worker, settings("queues = [\"mail\"]\nconcurrency = 2\n"));
  EXPECT_TRUE(comes_true([&] { return content(folder_ / "second") == "x\n"; }));
  reload(worker, settings("queues = [\"night\"]\nconcurrency = 3\n"));
  const auto third = holds("third");
  const auto other = jobs("push", {"--keys", keys_, "--queue", "night", "--exec", "--", "sh", "-c",
                                   "echo x > " + (folder_ / "other")});
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_TRUE(comes_true([&] { return content(folder_ / "other") == "x\n"; }));
  EXPECT_EQ(queue().show(third).value().state, job_state::ready) << "its queue is not served";
  EXPECT_EQ(queue().show(first).value().state, job_state::running) << "what runs goes on";
  std::ofstream(folder_ / "end") << "now";
  EXPECT_TRUE(comes_true([&] { return queue().show(first).value().state == job_state::done; }));
  EXPECT_TRUE(comes_true([&] { return queue().show(second).value().state == job_state::done; }));
  reload(worker, settings("concurrency = 0\n"));
  EXPECT_TRUE(comes_true([&] { return log_has("a reload was refused; what was in force stays"); }));
  EXPECT_TRUE(log_has("is not from 1 to 10000")) << content(log_);
  reload(worker, settings(""));  // "default" is served
  const auto usual =
      jobs("push", {"--keys", keys_, "--exec", "--", "sh", "-c", "echo x > " + (folder_ / "usual")});
  EXPECT_EQ(usual.status, 0) << usual.err;
  EXPECT_TRUE(comes_true([&] { return content(folder_ / "usual") == "x\n"; }));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
}

TEST_F(weft_work_service, moves_its_log_and_keeps_what_the_command_line_says) {
  running worker(*this, {"--concurrency", "1"});
  EXPECT_EQ(hear("READY"), "READY=1");
  reload(worker, "[work]\nlog_file = \"" + (folder_ / "ignored.log") + "\"\nconcurrency = 7\n");
  EXPECT_TRUE(
      comes_true([&] { return log_has("the command line says another\" setting=work.concurrency"); }));
  EXPECT_TRUE(log_has("the command line says another\" setting=work.log_file")) << content(log_);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));

  const auto moved = folder_ / "moved.log";
  set("[work]\nlog_file = \"" + log_ + "\"\n");
  running other(*this);
  EXPECT_EQ(hear("READY"), "READY=1");
  reload(other, "[work]\nlog_file = \"" + moved + "\"\nlog_format = \"json\"\n");
  EXPECT_TRUE(comes_true([&] {
    return content(moved).find("\"setting\":\"work.log_file\"") != std::string::npos;
  })) << content(moved);
  reload(other, "[work]\nlog_file = \"" + (folder_ / "no/such/folder.log") + "\"\nlog_level = \"off\"\n");
  EXPECT_TRUE(comes_true([&] { return content(moved).find("a reload was refused") != std::string::npos; }));
  reload(other, "");  // to stderr, which nobody reads here
  other.signal(SIGTERM);
  EXPECT_EQ(other.wait(), exit_status::exited(0));
  EXPECT_EQ(content(moved).find("weft work: ended"), std::string::npos)
      << "that is not written there any more";
}

TEST_F(weft_work_service, logs_in_the_form_and_to_the_file_it_is_told_to) {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  ::setenv("TRACEPARENT", ("00-" + trace + "-b7ad6b7169203331-01").c_str(), 1);
  const auto id = pushed_script("exit 3");
  ::unsetenv("TRACEPARENT");
  running worker(*this, {"--log-format", "json"});
  EXPECT_TRUE(comes_true([&] { return log_has("jobs: an attempt failed"); }));
  ASSERT_EQ(::rename(log_.c_str(), (log_ + ".1").c_str()), 0);
  worker.signal(SIGUSR1);
  EXPECT_TRUE(comes_true([&] { return log_has("files are opened anew"); }));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
  bool found = false;
  for (const auto& file : {log_ + ".1", log_}) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const auto whole = weft::wire::from_json<weft::wire::json_value>(line);
      const auto& one = *whole.if_object();
      if (*one.find("msg")->if_text() != "jobs: an attempt failed") continue;
      found = true;
      EXPECT_EQ(*one.find("weft.job")->if_text(), to_string(id));
      const auto* const trace_id = one.find("trace_id");
      ASSERT_NE(trace_id, nullptr) << line;
      EXPECT_EQ(*trace_id->if_text(), trace) << "that of who pushed it";
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(weft_work_service, a_signal_that_comes_while_it_starts_ends_it_too) {
  running worker(*this, {});
  EXPECT_TRUE(comes_true([&] { return log_has("weft work: started"); }));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), exit_status::exited(0));
}
