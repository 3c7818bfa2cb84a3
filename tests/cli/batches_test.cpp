#include "cli/batches.hpp"

#include <fstream>
#include <iterator>

#include "cli/jobs_change.hpp"
#include "cli/jobs_fixture.hpp"

namespace {

using weft::jobs::job_state;
using weft::wire::from_json;

weft::closure<> mail(std::string whom) {
  return weft::closure{weft::named_closure<"cli.batch_mail">([](std::string to) {
                         if (to == "nobody") throw weft::error(weft::errc::not_found, "no such address");
                       }),
                       std::move(whom)};
}

weft::closure<> report() {
  return weft::closure{weft::named_closure<"cli.batch_report">([] {})};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class weft_batches : public weft_test::jobs_commands {
 protected:
  weft_test::command_outcome batches(const std::string& name, std::vector<std::string> rest = {}) {
    return command("batches", name, std::move(rest));
  }
  weft::jobs::pushed_batch push() {
    return queue().push_batch(std::vector{mail("ann"), mail("nobody"), mail("bob")}, report(),
                              {.max_attempts = 1});
  }
  weft::cli::shown_batch_details show(weft::jobs::job_id id) {
    const auto done = batches("show", {to_string(id), "--json"});
    EXPECT_EQ(done.status, 0) << done.err;
    return from_json<weft::cli::shown_batch_details>(done.out);
  }
  job_state state_of(weft::jobs::job_id id) { return queue().show(id).value().state; }
};

TEST_F(weft_batches, are_listed_newest_first_a_page_at_a_time) {
  const auto one = push();
  const auto two = push();
  queue().push(mail("alone"), {.tags = {"batch:of-my-own"}});
  const auto first = from_json<weft::cli::shown_batches>(batches("list", {"--json", "--limit", "1"}).out);
  ASSERT_EQ(first.batches.size(), 1U);
  EXPECT_EQ(first.batches[0].id, to_string(two.id));
  EXPECT_EQ(first.next, to_string(two.id));
  const auto second =
      from_json<weft::cli::shown_batches>(batches("list", {"--json", "--before", *first.next}).out);
  ASSERT_EQ(second.batches.size(), 1U);
  EXPECT_EQ(second.batches[0].id, to_string(one.id));
  EXPECT_EQ(second.batches[0].jobs, (weft::jobs::state_counts{.ready = 3}));
  ASSERT_TRUE(second.batches[0].last);
  EXPECT_EQ(second.batches[0].last->state, "blocked");
  EXPECT_EQ(second.next, std::nullopt);
  EXPECT_TRUE(has(batches("list").out, "cli.batch_report")) << batches("list").out;
}

TEST_F(weft_batches, are_pushed_from_lines_of_programs_with_one_that_runs_last) {
  const std::string log = folder_ / "log";
  std::ofstream(folder_ / "pages") << R"({"arguments": ["sh", "-c", "echo one >> )" << log << R"("]})"
                                   << "\n\n"
                                   << R"({"arguments": ["sh", "-c", "echo $NAME >> )" << log
                                   << R"("], "environment": ["NAME=two"]})" << '\n';
  const auto pushed = batches("push", {folder_ / "pages", "--keys", keys_, "--queue", "print", "--", "sh",
                                       "-c", "echo last >> " + log});
  ASSERT_EQ(pushed.status, 0) << pushed.err;
  const std::string id = pushed.out.substr(0, pushed.out.size() - 1);
  const auto batch = from_json<weft::cli::shown_batch_details>(batches("show", {id, "--json"}).out);
  EXPECT_EQ(batch.batch.jobs, (weft::jobs::state_counts{.ready = 2}));
  EXPECT_EQ(batch.batch.last.value().state, "blocked");
  const auto done = weft_test::run_weft(
      {"work", "--db", url(), "--keys", keys_, "--queue", "print", "--once", "--concurrency", "1"});
  ASSERT_EQ(done.status, 0) << done.err;
  std::ifstream in(log);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "one\ntwo\nlast\n");
}

TEST_F(weft_batches, that_are_pushed_without_a_last_program_have_one_that_does_nothing) {
  std::ofstream(folder_ / "pages") << R"({"arguments": ["true"]})" << '\n';
  const auto pushed = batches("push", {folder_ / "pages", "--keys", keys_, "--json"});
  ASSERT_EQ(pushed.status, 0) << pushed.err;
  EXPECT_EQ(queue().stats().at(0).blocked, 1);
}

TEST_F(weft_batches, with_a_line_that_is_wrong_are_not_pushed_and_the_line_is_named) {
  const auto refused = [&](const std::string& text) {
    std::ofstream(folder_ / "pages") << text;
    const auto done = batches("push", {folder_ / "pages", "--keys", keys_});
    EXPECT_EQ(done.status, 1) << text;
    EXPECT_TRUE(queue().stats().empty());
    return done.err;
  };
  const std::string good = "{\"arguments\": [\"true\"]}\n";
  EXPECT_TRUE(has(refused(good + "{\"arguments\": 7}\n"), "pages, line 2: "));
  EXPECT_TRUE(has(refused(good + good + "no json\n"), "pages, line 3: "));
  EXPECT_TRUE(has(refused("{\"arguments\": []}\n"), "pages, line 1: "));
  EXPECT_TRUE(has(refused("\n"), "no program"));
  EXPECT_EQ(batches("push", {folder_ / "nothing_there", "--keys", keys_}).status, 1);
}

TEST_F(weft_batches, show_how_their_jobs_have_ended) {
  const auto batch = push();
  testing::internal::CaptureStderr();
  run_due();
  (void)testing::internal::GetCapturedStderr();
  const auto shown = show(batch.id);
  EXPECT_EQ(shown.batch.jobs, (weft::jobs::state_counts{.done = 2, .dead = 1}));
  ASSERT_TRUE(shown.batch.last);
  EXPECT_EQ(shown.batch.last->state, "done");
  ASSERT_EQ(shown.given_up.size(), 1U);
  EXPECT_EQ(shown.given_up[0].id, to_string(batch.jobs[1]));
  const auto text = batches("show", {to_string(batch.id)}).out;
  EXPECT_TRUE(has(text, "dead")) << text;
  EXPECT_TRUE(has(text, to_string(batch.jobs[1]))) << text;
}

TEST_F(weft_batches, are_cancelled_with_their_last_job) {
  const auto batch = push();
  const auto other = queue().push(mail("alone"));
  const auto refused = batches("cancel", {to_string(batch.id)});
  EXPECT_EQ(refused.status, 2) << "nobody can be asked";
  EXPECT_TRUE(has(refused.err, "--yes")) << refused.err;
  const auto dry =
      from_json<weft::cli::change_report>(batches("cancel", {to_string(batch.id), "-n", "--json"}).out);
  EXPECT_EQ(dry.matched, 4);
  EXPECT_EQ(state_of(batch.id), job_state::blocked);
  EXPECT_EQ(batches("cancel", {to_string(batch.id), "--yes"}).status, 0);
  for (const auto id : batch.jobs) EXPECT_EQ(state_of(id), job_state::cancelled);
  EXPECT_EQ(state_of(batch.id), job_state::cancelled) << "and is not run";
  EXPECT_EQ(state_of(other), job_state::ready);
  EXPECT_EQ(batches("cancel", {to_string(batch.id), "--yes"}).status, 1) << "it has ended";
}

TEST_F(weft_batches, that_are_not_there_are_named) {
  const auto alone = queue().push(mail("alone"));
  for (const auto* command : {"show", "cancel"}) {
    const auto done = batches(command, {to_string(alone)});
    EXPECT_EQ(done.status, 1) << command;
    EXPECT_TRUE(has(done.err, "no batch " + to_string(alone))) << done.err;
  }
  EXPECT_EQ(state_of(alone), job_state::ready) << "a job is no batch";
  EXPECT_EQ(batches("show").status, 2);
  EXPECT_EQ(batches("show", {"1", "2"}).status, 2);
}

}  // namespace
