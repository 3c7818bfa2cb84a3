// What Perl's AnyEvent::Task does wrong or cannot do and weft does, as docs/coming-from-anyevent-task.md
// lists it: those rows that no test of another file shows.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weft/core/unique_fd.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/stream.hpp>
#include <weft/process/self.hpp>
#include <weft/workers/server.hpp>

#include "support/scratch_folder.hpp"
#include "workers/test_program.hpp"

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::client_options;
using weft::workers::server;

// Two fibers of one call talk to each other over the network.
std::string talk_to_itself() {
  weft::net::listener listener(weft::net::endpoint::tcp("127.0.0.1", 0));
  auto answering = weft::go([&] { listener.accept().write_all("hello"); });
  auto asking = weft::net::stream::connect(listener.address());
  std::string heard(5, '\0');
  asking.read_exactly(heard);
  answering.join();
  return heard;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

class weaknesses : public testing::Test {
 protected:
  weft::process::child serve() const {
    weft::workers::server_options made{.listen = "unix:" + path};
    weft::services none;
    weft_test::offer_functions(none, made.interface);
    made.interface.add("talk_to_itself", &talk_to_itself);
    made.interface.add("descriptor_count", [] { return weft::process::open_descriptors().size(); });
    return server::fork(std::move(made));
  }

  client_options options(std::size_t max_workers) const {
    return {.connect = "unix:" + path,
            .min_workers = 0,
            .max_workers = max_workers,
            .protocol = weft::workers::protocol_choice::native};
  }

  weft_test::scratch_folder folder;
  std::string path = folder / "socket";
};

TEST_F(weaknesses, a_death_is_seen_at_once_also_after_many_connections) {
  const auto running = serve();
  weft::run([&] {
    for (int i = 0; i < 60; ++i) client(options(1)).call("nothing");
    EXPECT_THROW(client(options(1)).call("die_by", SIGKILL), weft::workers::worker_died);
  });
}

TEST_F(weaknesses, a_worker_has_no_more_descriptors_after_hundreds_of_others) {
  const auto running = serve();
  weft::run([&] {
    const auto first = client(options(1)).call<std::size_t>("descriptor_count");
    for (int i = 0; i < 300; ++i) client(options(1)).call("nothing");
    EXPECT_EQ(client(options(1)).call<std::size_t>("descriptor_count"), first);
  });
}

TEST_F(weaknesses, four_deaths_leave_as_many_places_as_before) {
  const auto running = serve();
  client pool(options(1));
  weft::run([&] {
    for (int i = 0; i < 4; ++i) EXPECT_THROW(pool.call("die_by", SIGKILL), weft::workers::worker_died);
    auto held = pool.checkout();
    held.call("nothing");
    EXPECT_EQ(pool.statistics().alive, 1U);
    try {
      pool.checkout({.timeout = 20ms}).call("nothing");
      ADD_FAILURE() << "there is a second worker";
    } catch (const weft::workers::call_timed_out& late) {
      EXPECT_TRUE(late.was_waiting());
    }
  });
}

TEST_F(weaknesses, a_call_after_a_timeout_fails_at_once_and_is_not_even_sent) {
  const auto running = serve();
  client pool(options(1));
  weft::run([&] {
    pool.call("nothing");
    auto held = pool.checkout({.timeout = 2s});
    EXPECT_THROW(held.call("spin"), weft::workers::call_timed_out);
    const auto calls = pool.statistics().calls;
    EXPECT_THROW(held.call("nothing"), weft::workers::call_timed_out);
    EXPECT_EQ(pool.statistics().calls, calls);
    EXPECT_EQ(pool.statistics().timeouts, 1U);
  });
}

TEST_F(weaknesses, a_call_in_a_callback_has_its_own_time) {
  const auto running = serve();
  client pool(options(1));
  weft::run([&] {
    weft::event done;
    bool was_late = false;
    pool.call("nothing");
    pool.checkout({.timeout = 2s}).call("nothing", [&](weft::workers::checkout& same) {
      same.call("spin", [&](weft::workers::checkout&, weft::result<void> got) {
        was_late = !got;
        done.set();
      });
    });
    done.wait();
    EXPECT_TRUE(was_late);
    EXPECT_EQ(pool.statistics().timeouts, 1U);
  });
}

TEST_F(weaknesses, nobody_connects_to_what_a_killed_server_left) {
  auto running = serve();
  client pool(options(1));
  auto held = pool.checkout();
  const auto worker = static_cast<pid_t>(held.call<std::int64_t>("pid"));
  running.kill(SIGKILL);
  running.wait();
  const weft::unique_fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  EXPECT_TRUE(weft_test::is_gone(worker));
}

TEST_F(weaknesses, a_client_may_end_while_it_connects) {
  weft::run([&] {
    std::optional<client> pool(std::in_place, options(2));
    auto calling = weft::go([&] { pool->call("nothing"); });
    weft::yield();
    EXPECT_EQ(pool->statistics().alive, 1U);
    calling.cancel();
    EXPECT_THROW(calling.join(), weft::cancelled);
    pool.reset();
  });
}

// A server that takes connections and says nothing: all of the pool's come before any is of use.
TEST_F(weaknesses, a_pool_opens_all_the_connections_it_needs_at_once) {
  constexpr int wanted = 8;
  const weft::unique_fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), wanted), 0);
  client pool(options(wanted));
  weft::run([&] {
    weft::scope all;
    for (int i = 0; i < wanted; ++i) all.go([&] { EXPECT_THROW(pool.call("nothing"), weft::error); });
    std::vector<weft::unique_fd> accepted;
    while (accepted.size() < wanted) {
      weft::wait_readable(listener.get());
      accepted.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    accepted.clear();
    // The calls that saw the end of theirs; further connections are refused by nobody, so those are ended as
    // well.
    ::shutdown(listener.get(), SHUT_RDWR);
    all.join();
  });
}

TEST_F(weaknesses, a_function_may_wait_start_fibers_and_use_the_network) {
  const auto running = serve();
  weft::run([&] { EXPECT_EQ(client(options(1)).call<std::string>("talk_to_itself"), "hello"); });
}

TEST_F(weaknesses, a_worker_that_ends_leaves_the_socket_file) {
  const auto running = serve();
  weft::run([&] {
    for (const char* const how : {"exit_process", "weft_exit"}) {
      EXPECT_THROW(client(options(1)).call(how, 0), weft::error);
      EXPECT_TRUE(std::filesystem::exists(path));
      client(options(1)).call("nothing");
    }
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
