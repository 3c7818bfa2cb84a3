#include <weft/trace/propagation.hpp>
#include <weft/trace/span.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "jobs/job_envelope.hpp"
#include "jobs/jobs_fixture.hpp"
#include "trace/recording.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using trace::testing::find_span;
using trace::testing::recording;
using headers = std::vector<trace::header>;

constexpr key_spec tenant_spec{.name = "test.tenant", .wire = wire_policy::baggage};
const key<std::string> tenant{tenant_spec};

/// What each attempt found.
struct seen {
  std::vector<headers> in_context;
};

class jobs_tracing : public jobs_fixture {
 protected:
  jobs_tracing() { app_.provide(seen_); }
  seen seen_;
};

closure<> look(int succeeds_at) {
  return closure{named_closure<"test.look">([](seen& into, control& job, int last) {
                   into.in_context.push_back(trace::to_headers());
                   log::info("looked");
                   if (job.attempt() < last) throw std::runtime_error("once more");
                 }),
                 succeeds_at};
}

const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

context request() {
  return trace::from_headers(
      headers{{"traceparent", parent}, {"tracestate", "foo=1"}, {"baggage", "test.tenant=acme,x=1;p"}},
      context());
}

TEST_F(jobs_tracing, without_a_recorder_attempts_go_on_in_the_trace_that_pushed_them) {
  request().run([&] { queue_->push(look(1)); });
  EXPECT_EQ(run_due(), 1U);
  ASSERT_EQ(seen_.in_context.size(), 1U);
  EXPECT_EQ(seen_.in_context[0], trace::to_headers(request()));
}

TEST_F(jobs_tracing, each_attempt_is_a_trace_of_its_own_with_a_link_to_who_pushed) {
  const recording kept;
  job_id id{};
  request().run([&] {
    const trace::span pushing("pushing");
    id = queue_->push(look(2));
  });
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  const auto all = kept->drain();
  ASSERT_EQ(all.size(), 3U);
  const auto& pushing = *find_span(all, "pushing");
  for (const auto* const one : {&all[1], &all[2]}) {
    EXPECT_EQ(one->name, "job test.look");
    EXPECT_EQ(one->kind, trace::span_kind::consumer);
    EXPECT_FALSE(one->parent);
    EXPECT_NE(one->context.trace, pushing.context.trace);
    ASSERT_EQ(one->links.size(), 1U);
    EXPECT_EQ(one->links[0].to.trace, pushing.context.trace);
    EXPECT_EQ(one->links[0].to.span, pushing.context.span);
    EXPECT_EQ(one->links[0].to.state.text(), "foo=1");
    EXPECT_EQ(one->attributes[0], (trace::attribute{"job.id", to_string(id)}));
  }
  EXPECT_NE(all[1].context.trace, all[2].context.trace);
  EXPECT_EQ(all[1].status, trace::span_status::error);
  EXPECT_EQ(all[1].status_message, "once more");
  EXPECT_EQ(all[1].attributes[2], (trace::attribute{"job.attempt", std::int64_t{1}}));
  EXPECT_EQ(all[1].attributes[3], (trace::attribute{"job.outcome", "failed"}));
  EXPECT_EQ(all[2].status, trace::span_status::unset);
  EXPECT_EQ(all[2].attributes[3], (trace::attribute{"job.outcome", "done"}));
}

TEST_F(jobs_tracing, what_runs_in_an_attempt_is_in_its_span_and_so_are_its_records) {
  const recording kept;
  request().run([&] { queue_->push(look(2)); });
  EXPECT_EQ(run_due(), 1U);
  const auto all = kept->drain();
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(seen_.in_context.size(), 1U);
  EXPECT_EQ(seen_.in_context[0], (headers{{"traceparent", trace::to_traceparent(all[0].context)},
                                          {"baggage", "test.tenant=acme,x=1;p"}}));
  const auto jobs = queue_->list({});
  ASSERT_EQ(jobs.size(), 1U);
  const auto past = show(jobs[0].id).past.at(0);
  ASSERT_EQ(past.log.records.size(), 2U);  // looked, and the failure
  for (const auto& one : past.log.records) {
    ASSERT_EQ(one.context.size(), 4U) << one.message;  // these, the attempt and the job
    EXPECT_EQ(one.context[0], (log::context_field{"span_id", to_string(all[0].context.span)}));
    EXPECT_EQ(one.context[1], (log::context_field{"trace_id", to_string(all[0].context.trace)}));
  }
}

TEST_F(jobs_tracing, attempts_are_children_where_the_push_asks_for_it) {
  const recording kept;
  request().run([&] { queue_->push(look(2), {.trace = job_trace::child}); });
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  const auto all = kept->drain();
  ASSERT_EQ(all.size(), 2U);
  for (const auto& one : all) {
    EXPECT_EQ(to_string(one.context.trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(to_string(one.parent), "b7ad6b7169203331");
    EXPECT_TRUE(one.parent_is_remote);
    EXPECT_TRUE(one.links.empty());
    EXPECT_EQ(one.context.state.text(), "foo=1");
  }
}

TEST_F(jobs_tracing, a_job_of_an_untraced_task_has_no_link) {
  const recording kept;
  queue_->push(look(1), {.trace = job_trace::child});
  queue_->push(look(1));
  EXPECT_EQ(run_due(), 2U);
  for (const auto& one : kept->drain()) {
    EXPECT_FALSE(one.parent);
    EXPECT_TRUE(one.links.empty());
  }
}

TEST_F(jobs_tracing, what_is_stored_is_the_same_bytes_at_each_attempt) {
  const recording kept;
  job_id id{};
  request().run([&] { id = queue_->push(look(3)); });
  const auto stored = [&] { return unseal(*keys_, queue_->kept_in().find(id)->envelope).context; };
  const auto before = stored();
  EXPECT_EQ(before, request().to_wire(wire_policy::job));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(run_due(), 1U);
    EXPECT_EQ(stored(), before);
    clock_.advance(10s);
  }
  EXPECT_EQ(show(id).state, job_state::done);
}

TEST_F(jobs_tracing, only_a_job_that_says_child_has_the_second_form) {
  job_envelope job;
  job.id = job_id{1};
  const auto version_of = [&](job_trace how) {
    job.trace = how;
    const std::string sealed = seal(*keys_, job);
    const auto read = unseal(*keys_, sealed);
    EXPECT_EQ(read.trace, how);
    return sealed.size();
  };
  EXPECT_LT(version_of(job_trace::linked), version_of(job_trace::child));
}

}  // namespace
}  // namespace weft::jobs
