// A server for the tests in server_test.py: prints its address, then serves until it is ended.
//
//     server_program ADDRESS [map | single] [HUNG_MS] [MESSAGE_BYTES_MAX]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include <unistd.h>

#include <weft/fiber/defer.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/logger.hpp>
#include <weft/wire/json_value.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/server.hpp>

namespace {

using weft::wire::json_value;
using weft::workers::interfaces;

json_value::list all_of(weft::decoder& arguments) {
  json_value::list all;
  arguments.begin_list();
  while (arguments.next_item()) all.push_back(weft::decode<json_value>(arguments));
  return all;
}

json_value nested(int depth) {
  json_value made = 1;
  for (int i = 0; i < depth; ++i) made = json_value::list{std::move(made)};
  return made;
}

// As the Perl server of the captured exchanges: any number of arguments, of any type.
void offer_values(interfaces& offered) {
  offered.add_handler("echo_args", [](weft::services&, weft::decoder& arguments, weft::encoder& result) {
    weft::encode(result, json_value(all_of(arguments)));
  });
  offered.add("echo", [](json_value value) { return value; });
  offered.add("null", [] {});
  offered.add("sum", [](std::int64_t one, std::int64_t other) { return one + other; });
  offered.add("real", [](double value) { return value; });
  offered.add("text", [](std::string value) { return value; });
  offered.add("bytes", [](weft::bytes value) { return value; });
  offered.add("raw_text", [] { return std::string("\xff"); });
  offered.add("infinite", [] { return std::numeric_limits<double>::infinity(); });
  offered.add("nested", &nested);
}

void offer_failures(interfaces& offered) {
  offered.add("fail", [](std::string text) { throw std::runtime_error(text); });
  offered.add("fail_data", [](json_value value) { throw weft::workers::raised_value(std::move(value)); });
  offered.add("fail_nested", [](int depth) { throw weft::workers::raised_value(nested(depth)); });
  offered.add("fail_number", [] { throw 42; });
  offered.add("exit_now", [](int status) { ::_exit(status); });
  offered.add("weft_exit", [](int status) { weft::exit(status); });
  offered.add("die", [] { std::abort(); });
  offered.add("block_ms", [](int time) { std::this_thread::sleep_for(std::chrono::milliseconds(time)); });
  offered.add("sleep_ms", [](int time) { weft::sleep_for(std::chrono::milliseconds(time)); });
}

void offer_logs(interfaces& offered) {
  offered.add("log", [](std::string tag) {
    weft::log::error("e " + tag);
    weft::log::warn("w " + tag, {{"detail", 1}});
    weft::log::info("i " + tag);
    weft::log::debug("d " + tag);
    const weft::log::timer timed("worker " + tag);
    weft::log::data({{"worker", tag}});
    return tag;
  });
  offered.add("log_by_handle", [] {
    const weft::log::logger log;
    log.add_log(25, "custom", {{"detail", weft::log::json_text{R"([1,"two"])"}}});
    log.error([] { return std::string("made when kept"); });
    { const auto twice = log.timer("same"); }
    { const auto twice = log.timer("same"); }
    log.data({{"shape", weft::log::json_text{R"({"a":[]})"}}, {"n", 1}});
    // For the whole program: it runs when the call has ended.
    static const auto running = log.timer("running");
  });
  offered.add("log_up_to", [](int verbosity) {
    weft::log::collection kept;
    {
      weft::log::collector some({.verbosity = verbosity});
      for (const int number : {10, 20, 25, 30, 40})
        weft::log::logger().add_log(number, std::to_string(number));
      kept = some.take_all();
    }
    weft::log::emit(std::move(kept));
  });
  offered.add("log_unwritable", [] {
    weft::log::record odd;
    odd.message = "\xff";
    weft::log::emit(odd);
    return 1;
  });
  offered.add("log_and_fail", [] {
    weft::log::warn("about to fail");
    throw std::runtime_error("boom");
  });
}

struct worker_state {
  int setups = 0;
  int checkouts_done = 0;
  bool done_fails = false;
  std::string deferred;
} state;

void offer_state(interfaces& offered) {
  offered.add("pid", [] { return static_cast<std::int64_t>(::getpid()); });
  offered.add("setups", [] { return state.setups; });
  offered.add("checkouts_done", [] { return state.checkouts_done; });
  offered.add("fail_at_done", [] { state.done_fails = true; });
  offered.add("defer", [] { weft::defer([] { state.deferred += "x"; }); });
  offered.add("deferred", [] { return state.deferred; });
}

interfaces offer(std::string_view kind) {
  interfaces offered;
  if (kind == "single") {
    offered.add_handler("", [](weft::services&, weft::decoder& arguments, weft::encoder& result) {
      auto all = all_of(arguments);
      weft::encode(result, all.empty() ? json_value("no-args") : json_value(std::move(all)));
    });
    return offered;
  }
  offer_values(offered);
  offer_failures(offered);
  offer_logs(offered);
  offer_state(offered);
  return offered;
}

// Fails at first where the test asks for it.
void set_up(weft::services&) {
  ++state.setups;
  const char* const failures = std::getenv("WEFT_TEST_SETUP_FAILURES");
  if (failures != nullptr && state.setups <= std::atoi(failures)) throw std::runtime_error("no database");
}

void end_checkout() {
  ++state.checkouts_done;
  if (state.done_fails) throw std::runtime_error("rollback failed");
}

}  // namespace

int main(int argc, char** argv) {
  weft::workers::server_options options{.listen = argc > 1 ? argv[1] : ""};
  options.interface = offer(argc > 2 ? argv[2] : "map");
  options.setup = &set_up;
  options.checkout_done = &end_checkout;
  if (argc > 3) options.hung_worker_timeout = std::chrono::milliseconds(std::atoi(argv[3]));
  if (argc > 4) options.message_bytes_max = std::strtoul(argv[4], nullptr, 10);
  weft::workers::server one(std::move(options));
  std::printf("%s\n", one.address().c_str());
  std::fflush(stdout);
  return one.run();
}
