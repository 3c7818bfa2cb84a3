#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/process/exec.hpp>
#include <weft/trace/propagation.hpp>

#include "trace/keys.hpp"

namespace weft::trace {
namespace {

using testing::user;
using headers = std::vector<header>;

constexpr std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

context traced() {
  return from_headers(
      headers{{"traceparent", std::string(parent)}, {"tracestate", "foo=1"}, {"baggage", "test.user=7,a=b"}},
      context());
}

/// Of the process, for one test.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { unsetenv(name_); }

 private:
  const char* name_;
};

/// The variables that a child finds.
std::map<std::string, std::string> of_child(exec_options options = {}) {
  std::map<std::string, std::string> all;
  std::string text = exec({"/usr/bin/env"}, std::move(options)).out;
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    all.emplace(line.substr(0, line.find('=')), line.substr(line.find('=') + 1));
  }
  return all;
}

TEST(propagation, a_context_takes_in_headers_and_gives_them_out) {
  const headers out{
      {"traceparent", std::string(parent)}, {"tracestate", "foo=1"}, {"baggage", "test.user=7,a=b"}};
  EXPECT_EQ(to_headers(traced()), out);
  traced().run([&] {
    ASSERT_NE(current(), nullptr);
    EXPECT_EQ(to_string(current()->trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(to_headers(), out);
    EXPECT_EQ(user.require(), 7);
  });
  EXPECT_EQ(current(), nullptr);
  EXPECT_EQ(to_headers(), headers{});
}

TEST(propagation, pairs_are_headers_too) {
  const std::map<std::string, std::string> sent{{"TraceParent", std::string(parent)}};
  EXPECT_EQ(to_headers(from_headers(sent, context())), (headers{{"traceparent", std::string(parent)}}));
}

TEST(propagation, a_request_without_a_parent_does_not_continue_the_trace_around_it) {
  EXPECT_EQ(to_headers(from_headers(headers{}, traced())), (headers{{"baggage", "test.user=7"}}));
}

TEST(propagation, travels_to_workers_and_with_jobs_in_the_same_bytes_each_time) {
  for (const auto hop : {wire_policy::worker, wire_policy::job}) {
    const auto there = context::from_wire(traced().to_wire(hop));
    EXPECT_EQ(to_headers(there), to_headers(traced()));
    EXPECT_EQ(there.to_wire(hop), traced().to_wire(hop));
    EXPECT_TRUE(there.find(detail::current_key())->is_remote);
  }
}

TEST(propagation, wire_text_with_a_bad_tracestate_keeps_the_parent) {
  using codec = context_codec<span_context>;
  const std::string text(parent);
  EXPECT_EQ(codec::to_text(codec::from_text(text + ";a=1").value()), text + ";a=1");
  EXPECT_EQ(codec::to_text(codec::from_text(text + ";A=1").value()), text);
  EXPECT_EQ(codec::from_text(text + "-a=1"), std::nullopt);
  EXPECT_EQ(codec::from_text(text.substr(1)), std::nullopt);
  EXPECT_EQ(codec::from_text(""), std::nullopt);
}

TEST(propagation, records_show_trace_and_span) {
  const log::collector collected;
  log::warn("outside");
  const headers sent{{"traceparent", std::string(parent)}};
  from_headers(sent).run([] { log::warn("inside"); });
  const auto records = const_cast<log::collector&>(collected).take();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[0].context.empty());
  EXPECT_EQ(records[1].context,
            (std::vector<log::context_field>{{"span_id", "b7ad6b7169203331"},
                                             {"trace_id", "0af7651916cd43dd8448eb211c80319c"}}));
}

TEST(propagation, a_program_reads_its_environment) {
  const variable one("TRACEPARENT", parent.data());
  const variable two("TRACESTATE", "foo=1");
  const variable three("BAGGAGE", "test.user=7,a=b");
  EXPECT_EQ(to_headers(from_environment(context())), to_headers(traced()));
}

TEST(propagation, an_environment_without_the_variables_is_no_trace) {
  EXPECT_EQ(to_headers(from_environment(context())), headers{});
}

TEST(propagation, children_find_it_in_their_environment) {
  run([] {
    traced().run([] {
      auto found = of_child();
      EXPECT_EQ(found["TRACEPARENT"], parent);
      EXPECT_EQ(found["TRACESTATE"], "foo=1");
      EXPECT_EQ(found["BAGGAGE"], "test.user=7,a=b");
    });
  });
}

TEST(propagation, children_do_not_get_what_belongs_to_another_trace) {
  const variable old_parent("TRACEPARENT", "00-11111111111111111111111111111111-1111111111111111-01");
  const variable old_state("TRACESTATE", "old=1");
  const variable old_baggage("BAGGAGE", "old=1");
  const auto now = from_headers(headers{{"traceparent", std::string(parent)}}, context());
  run([&] {
    now.run([] {
      const auto found = of_child();
      EXPECT_EQ(found.at("TRACEPARENT"), parent);
      EXPECT_FALSE(found.contains("TRACESTATE"));
      EXPECT_FALSE(found.contains("BAGGAGE"));
    });
  });
}

TEST(propagation, what_the_caller_sets_wins) {
  run([] {
    traced().run([] {
      exec_options options;
      options.program.environment = {"TRACEPARENT=mine"};
      const auto found = of_child(options);
      EXPECT_EQ(found.at("TRACEPARENT"), "mine");
      EXPECT_EQ(found.at("TRACESTATE"), "foo=1");
    });
  });
}

TEST(propagation, children_get_nothing_where_it_is_switched_off) {
  run([] {
    traced().run([] {
      exec_options options;
      options.program.pass_context = false;
      EXPECT_FALSE(of_child(options).contains("TRACEPARENT"));
      exec_options cleared;
      cleared.program.clear_environment = true;
      EXPECT_FALSE(of_child(cleared).contains("TRACEPARENT"));
    });
  });
}

}  // namespace
}  // namespace weft::trace
