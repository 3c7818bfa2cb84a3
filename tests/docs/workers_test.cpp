// The examples of docs/workers.md.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/main.hpp>
#include <weft/workers/server.hpp>
#include <weft/workers/server_status.hpp>

#include "support/scratch_folder.hpp"
namespace {

using namespace std::chrono_literals;

// example: workers_setup
struct thesaurus {
  std::string other_word(const std::string& word) const { return word == "big" ? "large" : word; }
};

void offer(weft::services& app, weft::workers::interfaces& offered) {
  app.add<thesaurus>([] { return thesaurus(); });  // made in a worker when it is first needed there
  offered.add("other_word", [](thesaurus& words, std::string word) { return words.other_word(word); });
  offered.add("count", [](std::vector<std::string> words) { return words.size(); });
}
// end of example

// example: workers_stream_function
std::uint64_t count_bytes(weft::workers::caller& client) {
  std::uint64_t count = 0;
  while (const auto piece = client.read()) {
    count += piece->size();
    client.say_progress(0, std::to_string(count) + " bytes");
  }
  return count;
}
// end of example

void set_up(weft::services& app, weft::workers::interfaces& offered) {
  offer(app, offered);
  offered.add("count_bytes", &count_bytes);
}

TEST(docs_workers, a_call) {
  weft::run([&] {
    // example: workers_call
    weft::workers::client pool({.max_workers = 4, .timeout = 10s});
    const auto word = pool.call<std::string>("other_word", "big");
    // end of example
    EXPECT_EQ(word, "large");
    // example: workers_checkout
    auto held = pool.checkout({.timeout = 1s});  // one worker, for these calls only
    held.call<std::string>("other_word", "big");
    held.call<std::size_t>("count", std::vector<std::string>{"one", "two"});
    // end of example
  });
}

TEST(docs_workers, a_closure) {
  weft::run([&] {
    weft::workers::client pool;
    // example: workers_closure
    const int squared = pool.call(weft::closure{[](int n) { return n * n; }, 12});
    // end of example
    EXPECT_EQ(squared, 144);
  });
}

TEST(docs_workers, many_at_once) {
  weft::run([&] {
    weft::workers::client pool;
    // example: workers_many
    auto held = pool.checkout();
    weft::scope all;
    for (const char* word : {"big", "small", "odd"}) {
      all.go([&held, word] { weft::log::info(held.call<std::string>("other_word", word)); });
    }
    all.join();
    // end of example
  });
}

TEST(docs_workers, streams) {
  std::string seen;
  weft::run([&] {
    weft::workers::client pool;
    // example: workers_stream
    auto held = pool.checkout({.on_progress = [&](const weft::workers::progress& now) { seen = now.text; }});
    auto call = held.start<std::uint64_t>("count_bytes");
    for (int i = 0; i < 100; ++i) call.stream().write(std::string(64 * 1024, 'x'));
    call.stream().end_writing();
    const std::uint64_t count = call.get();
    // end of example
    EXPECT_EQ(count, 6'553'600U);
    EXPECT_EQ(seen, "6553600 bytes");
  });
}

TEST(docs_workers, errors) {
  std::string seen;
  weft::run([&] {
    weft::workers::client pool;
    // example: workers_errors
    try {
      pool.call("count", 17);  // no list
    } catch (const weft::workers::worker_died& died) {
      seen = "ended by " + to_string(died.status());
    } catch (const weft::workers::call_timed_out& late) {
      seen = late.was_waiting() ? "no worker became free" : "its worker was stopped";
    } catch (const weft::remote_error& other) {  // of a type this program has not registered
      seen = other.details().where + ": " + other.details().chain();
    } catch (const weft::error& failed) {
      seen = failed.message();
    }
    // end of example
  });
  EXPECT_NE(seen.find("list"), std::string::npos) << seen;
}

class docs_workers_server : public testing::Test {
 protected:
  docs_workers_server() {
    weft::log::pause_sinks(1s);  // no thread of the test before is left when a server is forked
    address = "unix:" + folder_ / "socket";
    key_file = folder_ / "keys";
  }

  std::string address;
  std::string key_file;

 private:
  weft_test::scratch_folder folder_;
};

TEST_F(docs_workers_server, limits_and_recycling) {
  // example: workers_limits
  weft::workers::server_options options{.listen = address};
  options.interface.add("double", [](int n) { return 2 * n; });
  options.max_workers = 50;
  options.recycle = {.checkouts_max = 10'000, .age_max = 1h, .resident_bytes_max = 512 << 20};
  options.limits = {.cpu_time = 60s, .core_bytes = 0};
  options.restrictions = {.no_new_privileges = true};
  options.restarts = {.deaths_max = 20, .within = 10s};
  // end of example
  const auto running = weft::workers::server::fork(std::move(options));
  weft::workers::client pool({.connect = address});
  weft::run([&] { EXPECT_EQ(pool.call<int>("double", 21), 42); });
  // example: workers_status
  const auto now = weft::workers::server_status(address);
  for (const auto& worker : now.workers) weft::log::info("worker", {{"pid", worker.pid}});
  // end of example
  EXPECT_FALSE(now.workers.empty());
}

TEST_F(docs_workers_server, keys) {
  weft::wire::key_ring(weft::wire::key::generate("a")).save(key_file);
  // example: workers_keys
  const auto keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(key_file));
  weft::workers::server_options options{.listen = "127.0.0.1:0"};
  options.keys = keys;
  weft::workers::server over_tcp(std::move(options));
  const std::string where = over_tcp.address();
  const auto running = weft::process::child::fork([&] { return over_tcp.run(); });
  weft::workers::client pool({.connect = where, .keys = keys});
  // end of example
  weft::run([&] { EXPECT_EQ(pool.call(weft::closure{[] { return 7; }}), 7); });
  // example: workers_keys_status
  const auto now = weft::workers::server_status(where, 5s, keys);
  // end of example
  EXPECT_GE(now.forked, 1U);
}

}  // namespace

int main(int argc, char** argv) {
  return weft::main(argc, argv, &set_up, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
