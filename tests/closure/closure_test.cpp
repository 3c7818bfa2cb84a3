#include <weft/closure/closure.hpp>

#include <map>

#include <gtest/gtest.h>

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>

#include "closure/never_run.hpp"

namespace {

using weft::closure;
using weft::closure_registry;
using weft::named;
using weft::named_closure;
using weft::param;
using weft::service_scope;
using weft::services;
using reason = weft::closure_refusal_reason;

struct user_id {
  std::int64_t id = 0;
  std::optional<std::string> mail;
};
WEFT_DESCRIBE(user_id, id, mail);

struct outbox {
  std::vector<std::string> sent;
};

std::string greet(outbox& to, std::string name) {
  to.sent.push_back(name);
  return "hello " + name;
}

int twice(int number) noexcept { return 2 * number; }

TEST(closure, fills_references_from_the_container_and_values_from_its_arguments) {
  services app;
  app.add<outbox>([] { return outbox{}; });
  app.add<outbox>("other", [] { return outbox{{"x"}}; });
  app.set("suffix", "!");
  closure c{[](std::string first, outbox& out, named<outbox, "other"> other, const user_id user,
               services& all, param<std::string, "suffix"> suffix, weft::service<outbox> same) {
              EXPECT_EQ(&out, &*same);
              EXPECT_EQ(&all.get<outbox>(), &out);
              EXPECT_EQ(other->sent.size(), 1U);
              out.sent.push_back(first + std::to_string(user.id) + *suffix);
            },
            "id ", user_id{42, {}}};
  static_assert(std::is_same_v<decltype(c), closure<void>>);
  c.in(app)();
  EXPECT_EQ(app.get<outbox>().sent, (std::vector<std::string>{"id 42!"}));
}

TEST(closure, runs_as_often_as_called_with_fresh_arguments) {
  services app;
  const closure c{[](std::vector<int> numbers) {
                    numbers.push_back(1);
                    return numbers.size();
                  },
                  std::vector<int>{5}};
  auto call = c.in(app);
  auto copy = call;
  EXPECT_EQ(call(), 2U);
  EXPECT_EQ(copy(), 2U);
  EXPECT_EQ(call(), 2U);
}

TEST(closure, has_a_type_of_its_result_only) {
  services app;
  app.add<outbox>([] { return outbox{}; });
  std::map<std::string, closure<std::string>> all;
  all.emplace("greet", closure{weft::function<&greet>, "Ada"});
  all.emplace("plain", closure{[](int n) { return std::to_string(n); }, 7});
  closure<std::string> chosen = all.at("greet");
  EXPECT_EQ(chosen.in(app)(), "hello Ada");
  chosen = all.at("plain");
  EXPECT_EQ(chosen.in(app)(), "7");
  closure copy{chosen};
  static_assert(std::is_same_v<decltype(copy), closure<std::string>>);
  EXPECT_EQ((closure<int>{weft::function<&twice>, 21}.in(app)()), 42);
}

TEST(closure, has_services_of_its_run) {
  services app;
  int made = 0;
  app.add<outbox>([&made] { return outbox{std::vector<std::string>(++made)}; },
                  {.scope = service_scope::per_task});
  closure c{[](outbox& out) { return out.sent.size(); }};
  EXPECT_EQ(c.in(app)(), 1U);
  EXPECT_EQ(c.in(app)(), 2U);
  services task(app, service_scope::per_task);
  EXPECT_EQ(c.in(task)(), 3U);
  EXPECT_EQ(c.in(task)(), 3U);
}

TEST(closure, passes_on_what_its_function_throws) {
  services app;
  closure c{[](int n) {
              if (n > 0) throw weft::error(weft::errc::busy, "no");
            },
            1};
  EXPECT_THROW(c.in(app)(), weft::error);
}

TEST(closure, knows_where_it_is_written) {
  closure c{[](int) {}, 1};
  EXPECT_EQ(c.place().line, static_cast<unsigned>(__LINE__ - 1));
  EXPECT_NE(c.place().text().find("closure_test.cpp:"), std::string::npos);
  EXPECT_GT(c.place().column, 0U);
}

TEST(closure, writes_its_identity_and_arguments) {
  closure c{named_closure<"test.welcome">([](outbox&, user_id) {}), user_id{42, "a@b"}};
  EXPECT_EQ(c.identity().text(), "test.welcome({id:i64,mail:str?})");
  EXPECT_EQ(c.arguments(), R"([{"id":42,"mail":"a@b"}])");
  closure none{named_closure<"test.none">([] {})};
  EXPECT_EQ(none.identity().text(), "test.none()");
  EXPECT_EQ(none.arguments(), "[]");
}

TEST(closure, without_a_name_is_known_by_build_and_place) {
  // clang-format off
  closure first{[](int) {}, 1}; closure second{[](int) {}, 2};  // two on one line are two
  // clang-format on
  const auto& one = first.identity();
  EXPECT_EQ(one.build_id, weft::program_build_id());
  EXPECT_GE(one.build_id.size(), 16U);
  EXPECT_NE(one.text(), second.identity().text());
  EXPECT_EQ(weft::closure_identity::parse(one.text()), one);
  EXPECT_EQ(closure{first}.identity(), one);
}

TEST(closure_identity, refuses_other_texts) {
  for (const char* bad : {"", "x", "(", "()", "x(", "@(i64)", "@abc(i64)", "@abc+(i64)", "@abc+zz(i64)",
                          "@ABC+1(i64)", "@abc+11112222333344445(i64)", "x(i64"}) {
    EXPECT_THROW((void)weft::closure_identity::parse(bad), weft::error) << bad;
  }
}

TEST(closure_registry, runs_from_stored_identity_and_arguments) {
  services app;
  app.add<outbox>([] { return outbox{}; });
  const closure named{named_closure<"test.add">([](outbox& out, int a, std::string b) {
                        out.sent.push_back(b);
                        return a + static_cast<int>(b.size());
                      }),
                      40, "ab"};
  const closure unnamed{[](user_id id) { return id; }, user_id{1, "x"}};
  const auto first = closure_registry::bind(named.identity().text(), named.arguments());
  ASSERT_TRUE(first) << first.refusal().message;
  EXPECT_EQ((*first)(app), "42");
  EXPECT_EQ(app.get<outbox>().sent, std::vector<std::string>{"ab"});
  const auto second = closure_registry::bind(unnamed.identity().text(), unnamed.arguments());
  ASSERT_TRUE(second) << second.refusal().message;
  EXPECT_EQ((*second)(app), R"({"id":1,"mail":"x"})");
  const auto nothing = closure_registry::bind(closure{[] {}}.identity().text(), "[]");
  ASSERT_TRUE(nothing);
  EXPECT_EQ((*nothing)(app), "null");
}

TEST(closure_registry, knows_closures_whose_code_never_ran) {
  const auto known = closure_registry::find("never.run(str)");
  ASSERT_TRUE(known) << known.refusal().message;
  EXPECT_EQ(known->place.line, never_run::line);
  EXPECT_NE(known->place.file.find("never_run.hpp"), std::string::npos);
  std::size_t count = 0;
  for (const auto& one : closure_registry::list()) count += one.schema == "({never_run:bool})" ? 1 : 0;
  EXPECT_EQ(count, 2U);
}

TEST(closure_registry, lists_names_first_and_in_order) {
  const auto all = closure_registry::list();
  std::vector<std::string> names;
  for (const auto& one : all) {
    if (!one.name.empty()) names.push_back(one.name);
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  ASSERT_FALSE(all.empty());
  EXPECT_FALSE(all.front().name.empty());
  EXPECT_TRUE(all.back().name.empty());
}

TEST(closure_registry, says_why_it_cannot_run_a_closure) {
  const auto refusal = [](std::string_view identity) { return closure_registry::find(identity).refusal(); };
  EXPECT_EQ(refusal("no identity").reason, reason::malformed_identity);
  EXPECT_EQ(refusal("of.tomorrow(i64)").reason, reason::unknown_name);
  EXPECT_EQ(refusal("of.tomorrow(i64)").stored_schema, "(i64)");
  const auto other = refusal("@00112233+10(i64)");
  EXPECT_EQ(other.reason, reason::other_build);
  EXPECT_EQ(other.build_id, "00112233");
  EXPECT_NE(other.message.find("00112233"), std::string::npos);
  closure here{[](long) {}, 1};
  auto forged = here.identity();
  forged.offset += 1;
  EXPECT_EQ(refusal(forged.text()).reason, reason::unknown_place);
}

// What an earlier build stored, against the closure as it is now.
TEST(closure_registry, takes_stored_arguments_only_without_loss) {
  closure now{named_closure<"test.evolved">(
                  [](std::int32_t, user_id, std::optional<std::string>, std::optional<bool>) {}),
              1, user_id{}, "x", true};
  const auto bind = [](std::string_view arguments) {
    return closure_registry::bind("test.evolved(i64,{id:i64,gone:str})", arguments);
  };
  EXPECT_TRUE(bind(R"([1,{"id":1,"gone":"ignored"}])"));
  EXPECT_TRUE(bind(R"([1,{"id":1},null])"));
  EXPECT_TRUE(bind(R"([1,{"id":1},"x",true])"));
  for (const char* bad : {R"([2147483648,{"id":1}])", R"([1])", R"([1,{"gone":"x"}])", R"(["1",{"id":1}])",
                          R"([1,{"id":1},"x",true,5])", R"({"a":1})", "[", ""}) {
    const auto refused = bind(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.refusal().reason, reason::arguments_unfit);
    EXPECT_EQ(refused.refusal().stored_schema, "(i64,{id:i64,gone:str})");
    EXPECT_EQ(refused.refusal().schema, "(i32,{id:i64,mail:str?},str?,bool?)");
  }
  EXPECT_NE(bind("[1]").refusal().message.find("argument 2 is missing"), std::string::npos);
}

struct request_state {};
struct missing_service {};
struct visitor {
  static constexpr auto weft_scope = service_scope::per_request;
};
struct turnstile {
  static constexpr auto weft_scope = service_scope::per_task;
};

TEST(closure, tells_the_service_that_only_a_request_has) {
  const closure asks{[](missing_service&, turnstile&, visitor&) {}};
  EXPECT_NE(asks.service_of_request().find("visitor"), std::string_view::npos);
  const closure by_name{[](named<visitor, "first">) {}};
  EXPECT_NE(by_name.service_of_request().find("visitor"), std::string_view::npos);
  EXPECT_EQ((closure{[](missing_service&, turnstile&, request_state&) {}}.service_of_request()), "");
}

TEST(closure_registry, finds_what_is_missing_before_a_run) {
  closure c{named_closure<"test.needs">([](missing_service&, request_state&, param<int, "test.port">) {})};
  services app;
  app.add<request_state>([] { return request_state{}; }, {.scope = service_scope::per_request});
  services task(app, service_scope::per_task);
  const auto bound = closure_registry::bind("test.needs()", "[]");
  ASSERT_TRUE(bound);
  const auto problems = bound->missing(task);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_NE(problems[0].find("missing_service"), std::string::npos) << problems[0];
  EXPECT_NE(problems[1].find("per_request"), std::string::npos) << problems[1];
  EXPECT_NE(problems[2].find("test.port"), std::string::npos) << problems[2];
  EXPECT_EQ(c.missing(task), problems);
  std::string all;
  for (const auto& one : closure_registry::missing(task)) all += one + '\n';
  EXPECT_NE(all.find("closure \"test.needs\" ("), std::string::npos) << all;
}

}  // namespace
