// A client for the tests in client_test.py, which lead it: it reads commands, JSON arrays on a line each, and
// answers each with one JSON value on a line.
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include <weft/closure/closure.hpp>
#include <weft/codec/describe.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/log/logger.hpp>
#include <weft/logbook/defer.hpp>
#include <weft/wire/json.hpp>
#include <weft/workers/client.hpp>

namespace {

using weft::wire::json_object;
using weft::wire::json_value;
using weft::workers::checkout;
using weft::workers::client;

struct order {
  std::int64_t id = 0;
  std::vector<std::string> items;
  std::optional<double> price;
  bool operator==(const order&) const = default;
};
WEFT_DESCRIBE(order, id, items, price);

// What a pool is made with, beside its address.
struct settings {
  std::size_t min_workers = 0;
  std::size_t max_workers = 20;
  std::size_t max_checkouts = 0;
  int timeout_ms = 20'000;
  bool keep = false;
  std::string protocol = "automatic";
  std::size_t bytes_max = 16 * 1024 * 1024;
};
WEFT_DESCRIBE(settings, min_workers, max_workers, max_checkouts, timeout_ms, keep, protocol, bytes_max);
WEFT_MISSING_IS_DEFAULT(settings);

json_value answer_of(checkout& with, const std::string& name, const json_value::list& arguments) {
  switch (arguments.size()) {
    case 0:
      return with.call<json_value>(name);
    case 1:
      return with.call<json_value>(name, arguments[0]);
    case 2:
      return with.call<json_value>(name, arguments[0], arguments[1]);
    default:
      return with.call<json_value>(name, arguments[0], arguments[1], arguments[2]);
  }
}

// An error as the tests compare it.
template <typename Work>
json_value outcome_of(Work work) {
  try {
    return json_object{{"ok", work()}};
  } catch (const weft::workers::raised_value& raised) {
    return json_object{{"error", "raised_value"}, {"value", raised.value()}};
  } catch (const weft::workers::worker_died& died) {
    return json_object{{"error", "worker_died"}, {"text", died.message()}};
  } catch (const weft::workers::call_timed_out& late) {
    return json_object{{"error", "call_timed_out"}, {"text", late.message()}};
  } catch (const weft::remote_error& remote) {
    return json_object{{"error", "remote_error"}, {"text", remote.details().message}};
  } catch (const weft::error& failed) {
    return json_object{{"error", std::string(to_string(failed.code()))}, {"text", failed.message()}};
  } catch (const std::exception& other) {
    return json_object{{"error", "exception"}, {"text", other.what()}};
  }
}

template <typename T>
bool comes_back(checkout& with, const T& value) {
  return with.call<T>("echo", value) == value;
}

class led_client {
 public:
  explicit led_client(std::string address) : address_(std::move(address)) {}

  json_value obey(const json_value::list& command) {
    const auto& word = *command.at(0).if_text();
    if (word == "pool") return make_pool(command);
    if (word == "checkout") return make_checkout(command);
    if (word == "drop") return held_.erase(*command.at(1).if_text()) == 1;
    if (word == "call") return call(command);
    if (word == "log") return call_with_log(command);
    if (word == "typed") return outcome_of([&] { return typed(); });
    if (word == "closure") return outcome_of([&] { return pool_->call(weft::closure{[] { return 42; }}); });
    if (word == "nested") return outcome_of([&] { return echo_nested(*command.at(1).if_integer()); });
    if (word == "bad name") return outcome_of([&] { return held_.at("a").call<json_value>("\xff"); });
    if (word == "many") return many(*command.at(1).if_integer(), *command.at(2).if_integer());
    if (word == "statistics") return statistics();
    throw std::runtime_error("unknown command " + word);
  }

 private:
  json_value make_pool(const json_value::list& command) {
    weft::wire::json_value_decoder in(command.at(1));
    const auto wanted = weft::decode<settings>(in);
    weft::workers::client_options options{.connect = address_};
    options.min_workers = wanted.min_workers;
    options.max_workers = wanted.max_workers;
    options.max_checkouts = wanted.max_checkouts;
    options.timeout = std::chrono::milliseconds(wanted.timeout_ms);
    options.dont_refork_after_error = wanted.keep;
    options.message_bytes_max = wanted.bytes_max;
    if (wanted.protocol == "native") options.protocol = weft::workers::protocol_choice::native;
    if (wanted.protocol == "compatible") options.protocol = weft::workers::protocol_choice::compatible;
    held_.clear();
    pool_.emplace(options);
    return true;
  }

  json_value make_checkout(const json_value::list& command) {
    held_.emplace(*command.at(1).if_text(), pool_->checkout());
    return true;
  }

  // ["call", CHECKOUT or null, NAME, ARGUMENT...]
  json_value call(const json_value::list& command) {
    const json_value::list arguments(command.begin() + 3, command.end());
    const auto& name = *command.at(2).if_text();
    if (const auto* const held = command.at(1).if_text()) {
      return outcome_of([&] { return answer_of(held_.at(*held), name, arguments); });
    }
    return outcome_of([&] {
      auto fresh = pool_->checkout();
      return answer_of(fresh, name, arguments);
    });
  }

  // ["log", WHERE, [NAME, ARGUMENT...]...]: calls on one checkout, then its answers and the log in force,
  // and, where the checkout has one of its own or none, both logs.
  json_value call_with_log(const json_value::list& command) {
    const auto& where = *command.at(1).if_text();
    weft::log::collector own;
    const weft::log::logger kept(own);
    weft::log::collector around;
    weft::log::data({{"shared", "caller"}, {"caller", 1}});
    weft::workers::checkout_options options;
    if (where == "own") options.log = kept;
    if (where == "none") options.log.emplace(nullptr);
    auto with = pool_->checkout(options);
    json_value::list answers;
    for (std::size_t i = 2; i < command.size(); ++i) {
      const auto& one = *command[i].if_list();
      const json_value::list arguments(one.begin() + 1, one.end());
      answers.push_back(outcome_of([&] { return answer_of(with, *one.at(0).if_text(), arguments); }));
    }
    return json_value::list{std::move(answers), weft::logbook::to_json(around.take_all()),
                            weft::logbook::to_json(own.take_all())};
  }

  json_value typed() {
    auto with = pool_->checkout();
    weft::bytes all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
    const bool same = comes_back(with, std::int64_t{-1}) && comes_back(with, ~std::uint64_t{0}) &&
                      comes_back(with, 0.1) && comes_back(with, 3.0) &&
                      comes_back(with, std::string("λ😀\0", 7)) && comes_back(with, all) &&
                      comes_back(with, true) && comes_back(with, std::optional<int>()) &&
                      comes_back(with, order{18, {"a", "1"}, 2.5}) &&
                      comes_back(with, std::vector<std::map<std::string, int>>{{{"a", 1}}, {}});
    with.call("null");
    return same;
  }

  // Deeper than a command may be.
  json_value echo_nested(std::int64_t depth) {
    json_value deep = 1;
    for (std::int64_t i = 0; i < depth; ++i) deep = json_value::list{std::move(deep)};
    return held_.at("a").call<json_value>("echo", deep) == deep;
  }

  json_value many(std::int64_t fibers, std::int64_t calls) {
    std::int64_t right = 0;
    weft::scope all;
    for (std::int64_t i = 0; i < fibers; ++i) {
      all.go([&, i] {
        for (std::int64_t k = 0; k < calls; ++k)
          right += pool_->call<std::int64_t>("sum", i, k) == i + k ? 1 : 0;
      });
    }
    all.join();
    return right;
  }

  json_value statistics() {
    const auto now = pool_->statistics();
    return json_object{{"alive", now.alive},
                       {"busy", now.busy},
                       {"deaths", now.deaths},
                       {"started", now.started},
                       {"timeouts", now.timeouts}};
  }

  std::string address_;
  std::optional<client> pool_;
  std::map<std::string, checkout> held_;
};

}  // namespace

int main(int, char** argv) {
  return weft::run([&] {
    led_client led(argv[1]);
    std::printf("%s\n", argv[1]);
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
      const auto command = weft::wire::parse_json(line);
      std::printf("%s\n", to_text(led.obey(*command.if_list())).c_str());
      std::fflush(stdout);
    }
  });
}
