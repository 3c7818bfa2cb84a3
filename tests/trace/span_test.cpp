#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/envelope.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/log/collector.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/trace/span.hpp>

#include "trace/recording.hpp"

namespace weft::trace {
namespace {

using testing::find_span;
using testing::recording;
using headers = std::vector<header>;
using namespace std::chrono_literals;

constexpr auto remote = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

context from_remote(char flags) {
  return from_headers(headers{{"traceparent", std::string(remote) + flags}}, context());
}

TEST(span, without_a_recorder_is_nothing_and_the_one_around_it_stays) {
  {
    span alone("alone", {{"a", 1}});
    EXPECT_FALSE(alone.is_recording());
    EXPECT_EQ(current(), nullptr);
    alone.set({{"b", 2}});
    alone.event("nothing");
    alone.status(span_status::error, "nothing");
  }
  from_remote('1').run([] {
    const auto before = to_headers();
    const span inner("inner");
    EXPECT_EQ(to_headers(), before);
  });
}

TEST(span, is_current_in_its_scope_and_recorded_at_its_end) {
  const recording kept;
  {
    span outer("outer", {{"text", "x"}, {"count", 3}, {"ratio", 0.5}, {"on", true}});
    ASSERT_NE(current(), nullptr);
    const auto outer_span = current()->span;
    EXPECT_TRUE(outer.is_recording());
    {
      const span inner("inner");
      EXPECT_NE(current()->span, outer_span);
    }
    EXPECT_EQ(current()->span, outer_span);
    EXPECT_EQ(kept->snapshot().size(), 1U);
  }
  EXPECT_EQ(current(), nullptr);
  const auto all = kept->snapshot();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "inner");
  EXPECT_EQ(all[1].name, "outer");
  EXPECT_EQ(all[0].parent, all[1].context.span);
  EXPECT_EQ(all[0].context.trace, all[1].context.trace);
  EXPECT_FALSE(all[0].parent_is_remote);
  EXPECT_FALSE(all[1].parent);
  EXPECT_EQ(all[1].context.flags, span_context::sampled_flag | span_context::random_flag);
  EXPECT_EQ(all[1].attributes, (std::vector<attribute>{
                                   {"text", "x"}, {"count", std::int64_t{3}}, {"ratio", 0.5}, {"on", true}}));
  EXPECT_LE(all[1].start, all[0].start);
  EXPECT_LE(all[0].end, all[1].end);
  EXPECT_EQ(all[1].status, span_status::unset);
}

TEST(span, continues_a_trace_that_came_from_elsewhere) {
  const recording kept;
  const auto here =
      from_headers(headers{{"traceparent", std::string(remote) + "1"}, {"tracestate", "foo=1"}}, context());
  here.run([] { const span served("served", {}, {.kind = span_kind::server}); });
  const auto all = kept->snapshot();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(to_string(all[0].context.trace), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(to_string(all[0].parent), "b7ad6b7169203331");
  EXPECT_TRUE(all[0].parent_is_remote);
  EXPECT_FALSE(all[0].context.is_remote);
  EXPECT_EQ(all[0].context.state.text(), "foo=1");
  EXPECT_EQ(all[0].kind, span_kind::server);
}

TEST(span, of_a_trace_that_is_not_sampled_has_its_place_and_is_not_kept) {
  const recording kept;
  from_remote('2').run([] {
    const span inner("inner");
    EXPECT_FALSE(inner.is_recording());
    EXPECT_EQ(to_string(current()->trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_NE(to_string(current()->span), "b7ad6b7169203331");
    EXPECT_EQ(current()->flags, span_context::random_flag);
  });
  EXPECT_EQ(kept->recorded(), 0U);
}

TEST(span, traces_that_begin_here_are_sampled_by_the_ratio) {
  {
    const recording none({.sample_ratio = 0});
    const span one("one");
    EXPECT_FALSE(current()->is_sampled());
    EXPECT_TRUE(current()->is_valid());
  }
  const recording half({.spans_max = 10'000, .sample_ratio = 0.5});
  for (int count = 0; count < 2000; ++count) const span one("one");
  // 1000 within 10 standard deviations.
  EXPECT_GT(half->recorded(), 776U);
  EXPECT_LT(half->recorded(), 1224U);
}

TEST(span, may_have_another_parent_or_none) {
  const recording kept;
  const auto other = read_traceparent(std::string(remote) + "1");
  {
    const span around("around");
    { const span below("below other", {}, {.parent = other}); }
    { const span first("first", {}, {.new_trace = true, .links = {*current()}}); }
  }
  const auto all = kept->snapshot();
  EXPECT_EQ(find_span(all, "below other")->parent, other->span);
  const auto& first = *find_span(all, "first");
  const auto& around = *find_span(all, "around");
  EXPECT_FALSE(first.parent);
  EXPECT_NE(first.context.trace, around.context.trace);
  ASSERT_EQ(first.links.size(), 1U);
  EXPECT_EQ(first.links[0].to, around.context);
}

TEST(span, links_to_the_span_of_another_context) {
  const recording kept;
  std::optional<envelope<int>> sent;
  {
    const span sending("sending");
    sent.emplace(1);
  }
  {
    span handling("handling");
    handling.link(sent->context(), {{"value", **sent}});
    handling.link(context());  // has none
  }
  const auto all = kept->snapshot();
  const auto& handling = *find_span(all, "handling");
  ASSERT_EQ(handling.links.size(), 1U);
  EXPECT_EQ(handling.links[0].to, find_span(all, "sending")->context);
  EXPECT_FALSE(handling.parent);
}

TEST(span, ended_by_an_exception_has_the_status_error) {
  const recording kept;
  try {
    const span failed("failed");
    throw std::runtime_error("no card");
  } catch (const std::runtime_error&) {
    const span handler("in the handler");
  }
  try {
    span decided("decided");
    decided.status(span_status::ok);
    throw std::runtime_error("expected");
  } catch (const std::runtime_error&) {
  }
  const auto all = kept->snapshot();
  EXPECT_EQ(find_span(all, "failed")->status, span_status::error);
  EXPECT_EQ(find_span(all, "in the handler")->status, span_status::unset);
  EXPECT_EQ(find_span(all, "decided")->status, span_status::ok);
}

TEST(span, in_a_destructor_during_unwinding_is_no_error_by_that) {
  struct cleaner {
    ~cleaner() { const span cleaning("cleaning"); }
  };
  const recording kept;
  try {
    const cleaner last;
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(kept->snapshot().at(0).status, span_status::unset);
}

TEST(span, in_span_notes_what_was_thrown) {
  const recording kept;
  EXPECT_EQ(in_span("fine", [] { return 7; }), 7);
  EXPECT_EQ(in_span("takes it", {{"a", 1}},
                    [](span& here) {
                      here.event("half way", {{"done", 1}});
                      return 8;
                    }),
            8);
  EXPECT_THROW(in_span("failed", [] { throw error(errc::timed_out, "bank: charge: no answer"); }), error);
  const auto all = kept->snapshot();
  EXPECT_EQ(find_span(all, "takes it")->events.at(0).name, "half way");
  const auto& failed = *find_span(all, "failed");
  EXPECT_EQ(failed.status, span_status::error);
  EXPECT_EQ(failed.status_message, "bank: charge: no answer");
  ASSERT_EQ(failed.events.size(), 1U);
  EXPECT_EQ(failed.events[0].attributes,
            (std::vector<attribute>{{"exception.type", "weft.error"},
                                    {"exception.message", "bank: charge: no answer"}}));
}

TEST(span, attributes_are_replaced_by_name_and_bounded) {
  const recording kept;
  {
    span much("much", {{"a", 1}, {"a", 2}});
    for (int number = 0; number < 100; ++number) {
      much.set({{"k" + std::to_string(number), number}});
      much.event("e");
      much.link(*current());
      much.link(span_context());
    }
    much.set({{"k0", std::string(5000, 'x')}, {"bytes", "\xff"}});
  }
  const auto one = kept->snapshot().at(0);
  EXPECT_EQ(one.attributes.size(), span::attributes_max);
  EXPECT_EQ(one.dropped_attributes, 100 - 63 + 1U);
  EXPECT_EQ(one.attributes[0], (attribute{"a", std::int64_t{2}}));
  EXPECT_EQ(one.attributes[1], (attribute{"k0", std::string(span::text_bytes_max, 'x')}));
  EXPECT_EQ(one.events.size(), span::events_max);
  EXPECT_EQ(one.dropped_events, 100 - span::events_max);
  EXPECT_EQ(one.links.size(), span::links_max);
  EXPECT_EQ(one.dropped_links, 100 - span::links_max);
}

TEST(span, text_is_cut_between_characters) {
  const recording kept;
  { const span one(std::string(span::text_bytes_max - 1, 'x') + "\u00e9"); }
  EXPECT_EQ(kept->snapshot().at(0).name, std::string(span::text_bytes_max - 1, 'x'));
}

TEST(span, records_inside_show_its_ids) {
  const recording kept;
  std::vector<log::record> records;
  {
    const log::collector collected;
    const span step("step");
    log::info("inside");
    records = const_cast<log::collector&>(collected).take();
  }
  const auto one = kept->snapshot().at(0);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].context,
            (std::vector<log::context_field>{{"span_id", to_string(one.context.span)},
                                             {"trace_id", to_string(one.context.trace)}}));
}

TEST(span, survives_waits_and_is_the_parent_of_what_is_started_in_it) {
  const recording kept;
  run([] {
    const auto worker = [&](const char* name) {
      const span own(name);
      const auto mine = current()->span;
      for (int count = 0; count < 5; ++count) {
        yield();
        EXPECT_EQ(current()->span, mine);
      }
    };
    const span outer("outer");
    scope children;
    children.go([&] { worker("first"); });
    children.go([&] { worker("second"); });
    children.join();
  });
  const auto all = kept->snapshot();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(find_span(all, "first")->parent, find_span(all, "outer")->context.span);
  EXPECT_EQ(find_span(all, "second")->parent, find_span(all, "outer")->context.span);
}

TEST(span, goes_along_to_pools_blocking_calls_and_timers) {
  const recording kept;
  thread_pool pool({.threads = 2});
  run([&] {
    const span outer("outer");
    const auto mine = *current();
    const auto here = [&] {
      const span inner("inner");
      return current()->trace == mine.trace;
    };
    EXPECT_TRUE(pool.submit(here).get());
    EXPECT_TRUE(blocking(here));
    weft::event rang;
    bool in_timer = false;
    {
      const span around_timer("around the timer");
      after(1ms, [&] {
        in_timer = here();
        rang.set();
      }).detach();
    }
    rang.wait();
    EXPECT_TRUE(in_timer);
  });
  const auto all = kept->drain();
  const auto& outer = *find_span(all, "outer");
  const auto& timer = *find_span(all, "around the timer");
  std::vector<span_id> parents;
  for (const auto& one : all) {
    if (one.name == "inner") parents.push_back(one.parent);
  }
  const auto mine = outer.context.span;
  EXPECT_EQ(parents, (std::vector<span_id>{mine, mine, timer.context.span}));
}

TEST(span, exceptions_of_other_fibers_are_none_of_its_own) {
  const recording kept;
  struct waits_in_destructor {
    weft::event& go_on;
    ~waits_in_destructor() {
      shield([&] { go_on.wait(); });
    }
  };
  run([] {
    weft::event go_on;
    auto failing = go([&] {
      const waits_in_destructor held{go_on};
      throw std::runtime_error("unwinding meanwhile");
    });
    yield();
    { const span fine("fine"); }
    go_on.set();
    EXPECT_THROW(failing.join(), std::runtime_error);
  });
  EXPECT_EQ(kept->snapshot().at(0).status, span_status::unset);
}

TEST(span, a_replayed_simulation_gives_the_same_ids_and_times) {
  const auto ids_of_run = [] {
    const recording kept;
    simulate(7, [] {
      const span outer("outer");
      sleep_for(10ms);
      const span inner("inner");
      sleep_for(5ms);
    });
    return kept->snapshot();
  };
  const auto once = ids_of_run();
  const auto again = ids_of_run();
  ASSERT_EQ(once.size(), 2U);
  EXPECT_EQ(once[0].context, again[0].context);
  EXPECT_NE(once[0].context.span, once[1].context.span);
  EXPECT_EQ(once[0].start, again[0].start);
  EXPECT_EQ(once[0].end, again[0].end);
  EXPECT_GE(once[0].end - once[0].start, 5ms);
  EXPECT_GE(once[1].end - once[1].start, 15ms);
}

TEST(span, a_forked_child_has_ids_of_its_own) {
  const recording kept;
  { const span before("before"); }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const span in_child("child");
    const bool sent = ::write(ends[1], current()->trace.bytes.data(), 16) == 16;
    ::_exit(sent ? 0 : 1);
  }
  trace_id of_child;
  ASSERT_EQ(::read(ends[0], of_child.bytes.data(), 16), 16);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const span here("here");
  EXPECT_NE(current()->trace, of_child);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace weft::trace
