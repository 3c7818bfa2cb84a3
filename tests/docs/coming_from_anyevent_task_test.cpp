// The examples of docs/coming-from-anyevent-task.md.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/context/frame.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/logger.hpp>
#include <weft/log/sink.hpp>
#include <weft/logbook/file.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/main.hpp>
#include <weft/workers/server.hpp>

#include "support/scratch_folder.hpp"
namespace {

using namespace std::chrono_literals;

// example: task_server
struct pepper {
  std::string taste = "of this site";
  std::string hash(const std::string& plain) const {
    if (plain.empty()) throw std::invalid_argument("no password");
    return std::to_string(std::hash<std::string>()(plain + taste));
  }
};

weft::workers::server_options passwords(std::string listen) {
  weft::workers::server_options options{.listen = std::move(listen)};
  options.setup = [](weft::services& all) { all.add<pepper>([] { return pepper(); }); };
  options.interface.add("hash", [](pepper& with, std::string plain) {
    weft::log::info("hashing", {{"bytes", plain.size()}});
    return with.hash(plain);
  });
  options.interface.add(
      "verify", [](pepper& with, std::string plain, std::string hash) { return with.hash(plain) == hash; });
  options.checkout_done = [](pepper& with) { with = pepper(); };
  options.hung_worker_timeout = 60s;
  options.name = "passwords";
  return options;
}
// end of example

// example: task_server_program
int serve(const std::string& listen) { return weft::workers::server(passwords(listen)).run(); }
// end of example

class docs_task : public testing::Test {
 protected:
  docs_task() {
    weft::log::pause_sinks(1s);  // no thread of the test before is left when a server is forked
    address = "unix:" + folder / "socket";
  }

  weft_test::scratch_folder folder;
  std::string address;
};

TEST_F(docs_task, a_server_beside_the_program) {
  // example: task_fork
  weft::process::child running = weft::workers::server::fork(passwords(address));
  // end of example
  EXPECT_GT(running.pid(), 0);
  (void)&serve;
}

TEST_F(docs_task, a_client) {
  const auto running = weft::workers::server::fork(passwords(address));
  weft::run([&] {
    // example: task_client
    weft::workers::client pool({.connect = address, .max_workers = 4, .timeout = 2500ms});
    auto checkout = pool.checkout({.timeout = 5s});
    const auto hash = checkout.call<std::string>("hash", "sesame");
    EXPECT_TRUE(checkout.call<bool>("verify", "sesame", hash));
    // end of example
    // example: task_many
    const std::vector<std::string> words{"one", "two", "three"};
    const auto hashes = weft::map_limited(
        words, 2, [&](const std::string& word) { return pool.call<std::string>("hash", word); });
    EXPECT_EQ(hashes.size(), 3U);
    // end of example
  });
}

TEST_F(docs_task, errors) {
  const auto running = weft::workers::server::fork(passwords(address));
  weft::workers::client pool({.connect = address});
  std::string seen;
  weft::run([&] {
    // example: task_errors
    try {
      pool.call<std::string>("hash", "");
    } catch (const std::invalid_argument& wrong) {  // the function threw it, in the worker
      seen = wrong.what();
    } catch (const weft::workers::call_timed_out& late) {
      seen = late.was_waiting() ? "no worker became free" : "the worker was killed";
    } catch (const weft::workers::worker_died& died) {  // by a signal or an exit: died.status() says which
      seen = died.message();
    } catch (const weft::error& other) {  // of a type that is not registered here, or refused, or no server
      seen = other.message();
    }
    EXPECT_EQ(seen, "no password");
    // end of example
  });
}

TEST_F(docs_task, callbacks) {
  const auto running = weft::workers::server::fork(passwords(address));
  weft::workers::client pool({.connect = address});
  weft::run([&] {
    weft::event done;
    bool right = false;
    // example: task_callback
    auto checkout = pool.checkout();
    checkout.call("hash", "sesame", [&](weft::workers::checkout& same, std::string hash) {
      same.call("verify", "sesame", hash, [&](weft::workers::checkout&, bool fits) {
        right = fits;
        done.set();
      });
    });
    done.wait();
    // end of example
    EXPECT_TRUE(right);
  });
}

TEST_F(docs_task, frames) {
  const auto running = weft::workers::server::fork(passwords(address));
  weft::workers::client pool({.connect = address, .name = "passwords"});
  weft::run([&] {
    weft::event done;
    std::string seen;
    // example: task_frames
    weft::frame_try(
        [&] {
          pool.checkout().call("hash", "", [&](weft::workers::checkout&, std::string) { seen = "never"; });
        },
        [&](const weft::frame_error& problem) {
          seen = problem.trace;  // the error, then a line FILE:LINE - passwords -> hash
          done.set();
        });
    done.wait();
    // end of example
    EXPECT_NE(seen.find("no password"), std::string::npos) << seen;
    EXPECT_NE(seen.find("passwords -> hash"), std::string::npos) << seen;
  });
}

// example: task_local
constexpr weft::key_spec request_spec{.name = "docs.task_request"};
weft::frame_local<std::string> request{request_spec, "none"};  // of any type

std::function<std::optional<std::string>()> make_callback() {
  std::function<std::optional<std::string>()> later;
  weft::frame(
      [&] {
        *request = "r-17";
        later = weft::frame([] { return *request; });
      },
      {.locals = {&request}})();
  return later;  // gives "r-17", whenever it is called, while *request is "none" here
}
// end of example

TEST_F(docs_task, frame_locals) {
  EXPECT_EQ(make_callback()(), "r-17");
  EXPECT_EQ(*request, "none");
}

TEST_F(docs_task, logs) {
  const auto running = weft::workers::server::fork(passwords(address));
  weft::workers::client pool({.connect = address});
  const std::string path = folder / "requests.log";
  weft::run([&] {
    // example: task_logs
    weft::logbook::file book(path);
    {
      const weft::log::collector request_log({.deliver = [&](weft::log::collection all) {
        book.write(all);
      }});  // once, when the last one lets go
      const weft::log::timer whole("request");
      weft::log::data({{"user", "alice"}});
      pool.call<std::string>("hash", "sesame");  // a timer "hash", and what the worker logged
      weft::log::info("done");
    }
    // end of example
  });
  EXPECT_GT(std::filesystem::file_size(path), 100U);
}

// example: task_main
void set_up(weft::services& all, weft::workers::interfaces& offered) {
  all.add<pepper>([] { return pepper(); });
  offered.add("hash", [](pepper& with, std::string plain) { return with.hash(plain); });
}

int body() {
  return weft::run([] {
    weft::workers::client pool;  // of this very program: no server, no address
    const auto hash = pool.call<std::string>("hash", "sesame");
    const auto size = pool.call(weft::closure{[](std::string text) { return text.size(); }, hash});
    if (size != hash.size()) weft::exit(1);
  });
}
// end of example

TEST_F(docs_task, of_its_own_program) { EXPECT_EQ(body(), 0); }

}  // namespace

int main(int argc, char** argv) {
  return weft::main(argc, argv, &set_up, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
