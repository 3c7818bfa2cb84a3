#include <weft/closure/services.hpp>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>

namespace {

using weft::errc;
using weft::named;
using weft::param;
using weft::service_scope;
using weft::services;

struct mailer {
  virtual ~mailer() = default;
  virtual std::string host() const = 0;
};
struct smtp_mailer final : mailer {
  explicit smtp_mailer(std::string to) : host_(std::move(to)) {}
  std::string host() const override { return host_; }
  std::string host_;
};
struct clock_service {
  int ticks = 0;
};
struct logger {
  std::string name;
};

template <typename Function>
errc refusal_of(Function function, std::string* message = nullptr) {
  try {
    function();
  } catch (const weft::error& problem) {
    if (message != nullptr) *message = problem.message();
    return problem.code();
  }
  return errc::unknown;
}

TEST(services, are_made_on_first_use_and_once) {
  services app;
  int made = 0;
  app.add<clock_service>([&made] { return clock_service{++made}; });
  EXPECT_EQ(made, 0);
  EXPECT_TRUE(app.has<clock_service>());
  EXPECT_EQ(made, 0);
  EXPECT_EQ(&app.get<clock_service>(), &app.get<clock_service>());
  EXPECT_EQ(made, 1);
}

TEST(services, factories_ask_by_their_parameters) {
  services app;
  app.set("mail.host", "mx.example.org");
  app.add<mailer>([](param<std::string, "mail.host"> host, named<logger, "mail"> log, clock_service& time,
                     services& all) {
    EXPECT_EQ(&all.get<clock_service>(), &time);
    return smtp_mailer(log->name + "@" + *host);
  });
  app.add<logger>("mail", [] { return logger{"mail"}; });
  app.add<logger>("other", [] { return std::make_unique<logger>(logger{"other"}); });
  app.add<clock_service>([] { return std::make_shared<clock_service>(); });
  EXPECT_EQ(app.get<mailer>().host(), "mail@mx.example.org");
  EXPECT_EQ(app.get<logger>("other").name, "other");
}

TEST(services, name_what_is_missing_and_what_to_write) {
  services app;
  std::string message;
  EXPECT_EQ(refusal_of([&] { app.get<logger>("payment"); }, &message), errc::not_found);
  EXPECT_NE(message.find("logger \"payment\" was added; add it with services::add<"), std::string::npos)
      << message;
  EXPECT_EQ(refusal_of([&] { (void)app.parameter<int>("port"); }, &message), errc::not_found);
  EXPECT_NE(message.find("services::set(\"port\", value)"), std::string::npos) << message;
}

TEST(services, refuse_a_second_recipe_but_let_a_child_have_its_own) {
  services app;
  app.add<clock_service>([] { return clock_service{1}; });
  EXPECT_EQ(refusal_of([&] { app.add<clock_service>([] { return clock_service{2}; }); }),
            errc::already_exists);
  services task(app, service_scope::per_task);
  task.add<clock_service>([] { return clock_service{2}; });
  EXPECT_EQ(task.get<clock_service>().ticks, 2);
  EXPECT_EQ(app.get<clock_service>().ticks, 1);
}

TEST(services, live_in_the_container_of_their_scope) {
  services app;
  int made = 0;
  app.add<clock_service>([&made] { return clock_service{++made}; }, {.scope = service_scope::per_task});
  app.add<logger>([] { return logger{"one"}; });
  services first(app, service_scope::per_task);
  services second(app, service_scope::per_task);
  EXPECT_EQ(first.get<clock_service>().ticks, 1);
  EXPECT_EQ(first.get<clock_service>().ticks, 1);
  EXPECT_EQ(second.get<clock_service>().ticks, 2);
  EXPECT_EQ(&first.get<logger>(), &second.get<logger>());
}

struct visitor {
  static constexpr auto weft_scope = service_scope::per_request;
};

TEST(services, keep_to_the_scope_that_a_type_says) {
  services app;
  app.add<visitor>([] { return visitor{}; });
  EXPECT_EQ(refusal_of([&] { app.get<visitor>(); }), errc::refused);
  services request(app, service_scope::per_request);
  request.get<visitor>();
  services other;
  EXPECT_EQ(
      refusal_of([&] { other.add<visitor>([] { return visitor{}; }, {.scope = service_scope::per_task}); }),
      errc::invalid_argument);
  other.add<visitor>([] { return visitor{}; }, {.scope = service_scope::per_request});
}

TEST(services, refuse_a_scope_narrower_than_the_container) {
  services app;
  app.add<clock_service>([] { return clock_service{}; }, {.scope = service_scope::per_request});
  app.add<logger>([](clock_service&) { return logger{}; });
  services task(app, service_scope::per_task);
  services request(app, service_scope::per_request);
  std::string message;
  EXPECT_EQ(refusal_of([&] { task.get<clock_service>(); }, &message), errc::refused);
  EXPECT_NE(message.find("is per_request, and this is not part of a request"), std::string::npos) << message;
  request.get<clock_service>();
  // A singleton outlives the request, so it must not hold what belongs to one.
  EXPECT_EQ(refusal_of([&] { request.get<logger>(); }), errc::refused);
}

TEST(services, hand_out_objects_of_others) {
  services app;
  clock_service mine{7};
  app.provide(mine);
  EXPECT_EQ(&app.get<clock_service>(), &mine);
}

TEST(services, tell_an_expected_run_object_from_a_missing_one) {
  services app;
  app.expect<clock_service>();
  EXPECT_FALSE(app.has<clock_service>());
  EXPECT_EQ(refusal_of([&] { app.get<clock_service>(); }), errc::refused);
  services task(app, service_scope::per_task);
  clock_service run{3};
  task.provide(run);
  EXPECT_EQ(task.get<clock_service>().ticks, 3);
}

TEST(services, take_parameters_of_any_encodable_type_without_loss) {
  services app;
  app.set("port", 8080);
  app.set("tags", std::vector<std::string>{"a"});
  EXPECT_EQ(app.parameter<std::uint16_t>("port"), 8080);
  EXPECT_EQ(app.parameter<std::vector<std::string>>("tags").at(0), "a");
  std::string message;
  EXPECT_EQ(refusal_of([&] { (void)app.parameter<std::uint8_t>("port"); }, &message), errc::malformed);
  EXPECT_NE(message.find("parameter \"port\""), std::string::npos) << message;
  services task(app, service_scope::per_task);
  task.set("port", 1);
  EXPECT_EQ(task.parameter<int>("port"), 1);
  EXPECT_EQ(app.parameter<int>("port"), 8080);
}

struct ping;
struct pong {};
struct ping {};

TEST(services, find_a_circle_of_factories_and_show_its_path) {
  services app;
  app.add<ping>([](pong&) { return ping{}; });
  app.add<pong>([](services& all) {
    all.get<ping>();
    return pong{};
  });
  std::string message;
  EXPECT_EQ(refusal_of([&] { app.get<ping>(); }, &message), errc::misuse);
  const auto first = message.find("ping");
  const auto second = message.find("pong -> ", first);
  EXPECT_NE(message.find("ping", second), std::string::npos) << message;
}

TEST(services, try_again_after_a_factory_failed) {
  services app;
  int calls = 0;
  app.add<clock_service>([&calls] {
    if (++calls == 1) throw std::runtime_error("not yet");
    return clock_service{calls};
  });
  EXPECT_THROW(app.get<clock_service>(), std::runtime_error);
  EXPECT_EQ(app.get<clock_service>().ticks, 2);
}

TEST(services, are_destroyed_latest_made_first) {
  struct noisy {
    explicit noisy(std::vector<int>& to, int n) : out(to), number(n) {}
    noisy(const noisy&) = delete;
    ~noisy() { out.push_back(number); }
    std::vector<int>& out;
    int number;
  };
  struct outer {
    explicit outer(noisy& needs, std::vector<int>& to) : inner(needs), out(to) {}
    outer(const outer&) = delete;
    ~outer() { out.push_back(inner.number * 10); }
    noisy& inner;
    std::vector<int>& out;
  };
  std::vector<int> order;
  {
    services app;
    app.add<outer>([&order](noisy& needs) { return outer(needs, order); });
    app.add<noisy>([&order] { return noisy(order, 1); });
    app.get<outer>();
  }
  EXPECT_EQ(order, (std::vector<int>{10, 1}));
}

TEST(services, are_made_once_when_many_threads_ask) {
  services app;
  std::atomic<int> made{0};
  app.add<clock_service>([&made] {
    std::this_thread::yield();
    return clock_service{++made};
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(app.get<clock_service>().ticks, 1); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

// Two tasks, each in one factory and in want of the other's: one of them must see it.
constexpr weft::key_spec user_spec{.name = "test.services_user"};
const weft::key<int> user{user_spec};

TEST(services, that_outlive_who_asks_are_made_in_the_root_context) {
  services app;
  app.add<clock_service>([] {
    EXPECT_FALSE(weft::deadline().has_value());
    return clock_service{user.value_or(0)};
  });
  app.add<logger>([] { return logger{std::to_string(user.value_or(0))}; },
                  {.scope = service_scope::per_task});
  services run(app, service_scope::per_task);
  const weft::scoped_value asks(user, 7);
  weft::with_timeout(std::chrono::hours(1), [&] {
    EXPECT_EQ(run.get<clock_service>().ticks, 0);
    EXPECT_EQ(run.get<logger>().name, "7");
  });
  EXPECT_EQ(user.require(), 7);
}

TEST(services, find_a_circle_across_threads) {
  services app;
  std::atomic<int> inside{0};
  const auto meet = [&inside] {
    ++inside;
    while (inside < 2) std::this_thread::yield();
  };
  app.add<ping>([&meet](services& all) {
    meet();
    all.get<pong>();
    return ping{};
  });
  app.add<pong>([&meet](services& all) {
    meet();
    all.get<ping>();
    return pong{};
  });
  std::atomic<int> refused{0};
  const auto ask = [&](auto get) {
    try {
      get();
    } catch (const weft::error& problem) {
      if (problem.code() == errc::misuse) ++refused;
    }
  };
  std::thread first([&] { ask([&] { app.get<ping>(); }); });
  std::thread second([&] { ask([&] { app.get<pong>(); }); });
  first.join();
  second.join();
  EXPECT_GE(refused, 1);
}

TEST(services, give_up_waiting_for_another_task_when_cancelled) {
  services app;
  std::atomic<bool> started{false};
  std::atomic<bool> go_on{false};
  app.add<clock_service>([&] {
    started = true;
    while (!go_on) std::this_thread::yield();
    return clock_service{};
  });
  std::thread maker([&] { app.get<clock_service>(); });
  while (!started) std::this_thread::yield();
  weft::cancel_scope scope;
  scope.cancel();
  EXPECT_THROW(app.get<clock_service>(), weft::cancelled);
  go_on = true;
  maker.join();
}

TEST(services, list_what_a_function_would_miss) {
  services app;
  app.add<mailer>([](logger&, param<int, "port">) { return std::unique_ptr<mailer>(); });
  const auto function = [](mailer&, named<logger, "x">) {};
  const auto problems = app.missing(weft::detail::requirements_of<std::remove_const_t<decltype(function)>>());
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_NE(problems[0].find("mailer: no service "), std::string::npos) << problems[0];
  EXPECT_NE(problems[1].find("no parameter \"port\""), std::string::npos) << problems[1];
  EXPECT_NE(problems[2].find("logger \"x\""), std::string::npos) << problems[2];
}

}  // namespace
