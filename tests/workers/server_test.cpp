#include <weft/workers/server.hpp>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/codec/tuple.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>
#include <weft/wire/binary.hpp>
#include <weft/workers/server_status.hpp>

#include "workers/listening.hpp"
#include "workers/protocol.hpp"
#include "workers/test_program.hpp"

// A fork server of its own, and clients that connect to it.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::server;
using weft::workers::server_options;

using weft_test::listening;

TEST_F(listening, clients_connect_and_call) {
  auto running = server::fork(options());
  client pool({.connect = "unix:" + path, .min_workers = 1});
  weft::run([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    EXPECT_NE(pool.call<std::int64_t>("pid"), ::getpid());
  });
  EXPECT_EQ(running.terminate(60s), weft::process::exit_status::exited(0));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(listening, a_death_names_its_signal) {
  auto running = server::fork(options());
  auto pool = client_with(1);
  weft::run([&] {
    try {
      pool.call("die_by", SIGSEGV);
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_died& died) {
      EXPECT_EQ(died.status().value, SIGSEGV);
    }
    EXPECT_THROW(pool.checkout({.timeout = 50ms}).call("spin_deaf"), weft::workers::call_timed_out);
    pool.call("nothing");
  });
}

TEST_F(listening, a_client_may_come_before_its_server) {
  client pool({.connect = "unix:" + path, .min_workers = 0});
  weft::run(
      [&] { EXPECT_THROW(pool.checkout({.timeout = 10ms}).call("nothing"), weft::workers::start_failed); });
  auto running = server::fork(options());
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, the_socket_is_for_its_owner_only) {
  auto running = server::fork(options());
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST_F(listening, where_another_server_answers_is_refused) {
  auto running = server::fork(options());
  try {
    server second(options());
    ADD_FAILURE() << "listens";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::busy);
  }
  client pool({.connect = "unix:" + path});
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, a_stale_socket_is_replaced) {
  server::fork(options()).kill(SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(path));
  auto running = server::fork(options());
  client pool({.connect = "unix:" + path});
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, setup_runs_before_the_first_call_and_its_failure_is_that_calls_error) {
  auto wanted = options();
  wanted.setup = [tries = 0](weft::services&) mutable {
    if (tries++ == 0) throw std::runtime_error("no database");
  };
  auto running = server::fork(std::move(wanted));
  auto pool = client_with(1);
  weft::run([&] {
    auto held = pool.checkout();
    try {
      held.call("nothing");
      ADD_FAILURE() << "no error";
    } catch (const std::exception& failed) {
      EXPECT_NE(std::string(failed.what()).find("no database"), std::string::npos);
    }
    held.call("nothing");
  });
}

TEST_F(listening, a_peer_of_the_old_protocol_is_answered_in_it) {
  auto running = server::fork(options());
  const weft::unique_fd connection = connect();
  const std::string_view said = R"(["do",{},"echo","x"])";
  EXPECT_EQ(::send(connection.get(), said.data(), said.size(), 0), static_cast<ssize_t>(said.size()));
  ::shutdown(connection.get(), SHUT_WR);
  EXPECT_EQ(hear(connection), R"(["ok",{},"x"])");
}

TEST_F(listening, a_client_of_another_build_is_refused_with_both_builds_named) {
  auto running = server::fork(options());
  weft::workers::detail::hello_frame hello;
  hello.build_id = "another";
  hello.same_build_only = true;
  weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
  write_frame(said, hello);
  weft::wire::frame_reader reader;
  const auto heard = talk(weft::as_text(said));
  reader.append(weft::as_bytes(heard));
  const auto answer = reader.next();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, static_cast<std::uint8_t>(weft::workers::detail::frame_type::refused));
  EXPECT_NE(weft::workers::detail::read_refused(*answer).find("another"), std::string::npos);
}

TEST_F(listening, tcp_has_clients_too_and_refuses_their_closures) {
  auto wanted = options();
  wanted.listen = "127.0.0.1:0";
  server one(std::move(wanted));
  const std::string address = one.address();
  auto running = weft::process::child::fork([&] { return one.run(); });
  client pool({.connect = address, .min_workers = 1, .protocol = weft::workers::protocol_choice::native});
  weft::run([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    try {
      pool.call(weft::closure{[] {}});
      ADD_FAILURE() << "runs";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::refused);
    }
  });
}

// Sends a byte with a descriptor along.
void send_along(const weft::unique_fd& connection, std::string_view said, int descriptor) {
  EXPECT_EQ(weft::process::send_with_descriptors(connection.get(), said, {descriptor}),
            static_cast<long>(said.size()));
}

TEST_F(listening, descriptors_of_a_client_are_not_kept) {
  auto running = server::fork(options());
  auto pipe = weft::process::make_pipe();
  const weft::unique_fd connection = connect();
  send_along(connection, R"(["do",{},"descriptors"])", pipe.writer.get());
  send_along(connection, R"(["do",{},"descriptors"])", pipe.writer.get());
  pipe.writer.reset();
  char byte;
  EXPECT_EQ(::read(pipe.reader.get(), &byte, 1), 0);  // nobody else has the writer
  ::shutdown(connection.get(), SHUT_WR);
  EXPECT_NE(hear(connection).find("ok"), std::string::npos);
}

// A worker that took a client's descriptor for its keep-alive pipe would end with that, before it says
// welcome.
TEST_F(listening, a_client_cannot_give_a_worker_its_keep_alive_pipe) {
  auto running = server::fork(options());
  auto pipe = weft::process::make_pipe();
  const weft::unique_fd connection = connect();
  weft::workers::detail::hello_frame hello;
  weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
  write_frame(said, hello);
  send_along(connection, weft::as_text(said), pipe.reader.get());
  pipe.reader.reset();
  pipe.writer.reset();
  char welcome[16];
  EXPECT_EQ(::recv(connection.get(), welcome, sizeof welcome, MSG_WAITALL), 16);
}

TEST_F(listening, a_socket_file_of_another_server_stays) {
  auto running = server::fork(options());
  std::filesystem::remove(path);
  auto second = server::fork(options());
  EXPECT_EQ(running.terminate(60s), weft::process::exit_status::exited(0));
  client pool({.connect = "unix:" + path});
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, a_server_tells_what_it_is_doing) {
  auto wanted = options();
  wanted.name = "told";
  wanted.max_workers = 7;
  auto running = server::fork(std::move(wanted));
  auto pool = client_with(1);
  weft::run([&] {
    pool.call("nothing");
    auto held = pool.checkout();
    EXPECT_EQ(held.call<std::int64_t>("sum", 1, 2), 3);
    const auto seen = weft::workers::server_status("unix:" + path);
    EXPECT_EQ(seen.pid, running.pid());
    EXPECT_EQ(seen.name, "told");
    EXPECT_EQ(seen.state, weft::workers::server_state::running);
    EXPECT_EQ(seen.max_workers, 7U);
    EXPECT_EQ(seen.forked, 1U);
    EXPECT_GT(seen.resident_bytes, 0U);
    ASSERT_EQ(seen.workers.size(), 1U);
    const auto& one = seen.workers.front();
    EXPECT_EQ(one.pid, held.worker_pid());
    EXPECT_EQ(one.state, weft::workers::worker_state::idle);
    EXPECT_EQ(one.calls, 2U);
    EXPECT_EQ(one.checkouts, 1U);
    EXPECT_GT(one.resident_bytes, 0U);
  });
}

TEST_F(listening, a_server_that_is_full_tells_what_it_is_doing) {
  auto wanted = options();
  wanted.max_workers = 1;
  auto running = server::fork(std::move(wanted));
  auto pool = client_with(2);
  weft::run([&] {
    auto held = pool.checkout();
    held.call("nothing");
    weft::fiber<void> busy = weft::go([&] { held.call("sleep_ms", 10'000); });
    weft::fiber<void> waits = weft::go([&] { pool.call("nothing"); });
    weft::workers::server_figures seen;
    while (seen.waiting == 0 || seen.workers.empty() ||
           seen.workers.front().state != weft::workers::worker_state::busy) {
      seen = weft::workers::server_status("unix:" + path);
      weft::yield();
    }
    EXPECT_EQ(seen.waiting, 1U);
    EXPECT_EQ(seen.workers.size(), 1U);
    busy.cancel();
    EXPECT_THROW(busy.join(), weft::cancelled);
    { auto gone = std::move(held); }
    waits.cancel();
    try {
      waits.join();
    } catch (const weft::cancelled&) {
    }
  });
}

TEST_F(listening, what_is_no_server_has_no_status) {
  EXPECT_THROW(weft::workers::server_status("unix:" + path), weft::error);
}

TEST_F(listening, a_silent_client_has_no_worker_and_makes_room_for_others) {
  auto wanted = options();
  wanted.max_waiting = 2;
  auto running = server::fork(std::move(wanted));
  const auto first = connect();
  const auto second = connect();
  auto seen = weft::workers::server_status("unix:" + path);
  EXPECT_TRUE(seen.workers.empty());
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
  EXPECT_EQ(hear(first), "");  // closed by the server
  seen = weft::workers::server_status("unix:" + path);
  EXPECT_GE(seen.refused, 1U);
}

TEST_F(listening, clients_that_find_no_room_in_the_line_are_served_in_their_turn) {
  auto wanted = options();
  wanted.max_waiting = 1;
  wanted.max_workers = 1;
  auto running = server::fork(std::move(wanted));
  constexpr std::size_t clients = 8;
  std::vector<weft::unique_fd> all;
  for (std::size_t i = 0; i < clients; ++i) {
    all.push_back(connect());
    say(all.back(), R"(["do",{},"echo","x"])");
    ::shutdown(all.back().get(), SHUT_WR);
  }
  for (const auto& one : all) EXPECT_EQ(hear(one), R"(["ok",{},"x"])");
}

// The limit of descriptors of this process, which a child inherits, while it lives.
class narrow_files {
 public:
  explicit narrow_files(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &former_);
    const rlimit narrow{most, former_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &narrow);
  }
  narrow_files(const narrow_files&) = delete;
  narrow_files& operator=(const narrow_files&) = delete;
  ~narrow_files() { ::setrlimit(RLIMIT_NOFILE, &former_); }

 private:
  rlimit former_{};
};

TEST_F(listening, has_more_workers_than_the_usual_limit_of_descriptors_allows) {
  const auto usual = static_cast<rlim_t>(weft::process::open_descriptors().back()) + 60;
  auto wanted = options();
  wanted.interface.add("files_limit", [] {
    rlimit seen{};
    ::getrlimit(RLIMIT_NOFILE, &seen);
    return std::uint64_t{seen.rlim_cur};
  });
  weft::process::child running;
  {
    const narrow_files inherited(usual);
    running = server::fork(std::move(wanted));
  }
  std::vector<weft::unique_fd> all;
  while (all.size() < usual) {
    all.push_back(connect());
    say(all.back(), R"(["do",{},"files_limit"])");
    ASSERT_EQ(hear_one(all.back()), R"(["ok",{},)" + std::to_string(usual) + "]");
  }
  EXPECT_EQ(weft::workers::server_status("unix:" + path).workers.size(), usual);
}

TEST_F(listening, a_client_that_is_silent_for_too_long_loses_its_connection) {
  auto wanted = options();
  wanted.hello_within = 20ms;
  auto running = server::fork(std::move(wanted));
  EXPECT_EQ(hear(connect()), "");
  // White space is no word yet, though it needs a worker. It is there before the server looks.
  running.kill(SIGSTOP);
  const auto offers = connect();
  say(offers, " \t\r\n\t \r\n");
  running.kill(SIGCONT);
  EXPECT_EQ(hear(offers), weft::workers::detail::native_magic);
}

TEST_F(listening, an_address_that_cannot_be_is_refused) {
  for (const std::string bad : {"/run/x", "unix:", "127.0.0.1", "127.0.0.1:x"}) {
    EXPECT_THROW(server(server_options{.listen = bad}), weft::error) << bad;
  }
  EXPECT_THROW(server(server_options{.listen = "unix:" + std::string(200, 'x')}), weft::error);
}

TEST_F(listening, a_client_has_no_more_calls_at_a_time_than_allowed) {
  auto wanted = options();
  wanted.max_calls = 2;
  const auto running = server::fork(std::move(wanted));
  auto clients = client_with(1);
  weft::run([&] {
    auto held = clients.checkout();
    auto one = held.start("sleep_ms", 3'600'000);
    auto other = held.start("sleep_ms", 3'600'000);
    try {
      held.call("nothing");
      ADD_FAILURE() << "no error";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::resource_exhausted);
      EXPECT_NE(refused.message().find("max_calls"), std::string::npos) << refused.message();
    }
    std::string name = "x";  // so that its bound is inside a character
    while (name.size() < 1000) name += "é";
    try {
      held.call(name);
      ADD_FAILURE() << "no error";
    } catch (const weft::error& refused) {
      EXPECT_NE(refused.message().find("é... (1001 bytes in all)"), std::string::npos) << refused.message();
    }
  });
}

// More answers than fit into the connection and what the worker keeps.
void start_many(weft::workers::checkout& held, int count) {
  const std::string text(200, 'x');
  std::vector<weft::workers::running_call<std::string>> all;
  for (int i = 0; i < count; ++i) all.push_back(held.start<std::string>("echo", text));
  for (auto& one : all) EXPECT_EQ(one.get(), text);
}

TEST_F(listening, a_client_may_start_many_calls_before_it_takes_the_first_answer) {
  auto wanted = options();
  wanted.max_calls = 100;
  const auto running = server::fork(std::move(wanted));
  client clients({.connect = "unix:" + path, .min_workers = 0, .timeout = 5min});
  weft::run([&] {
    auto held = clients.checkout();
    start_many(held, 20'000);
  });
  auto of_this_thread = clients.checkout();
  start_many(of_this_thread, 20'000);
}

TEST_F(listening, calls_that_are_refused_before_an_answer_is_taken_hold_nobody_up) {
  auto wanted = options();
  wanted.max_calls = 1;
  const auto running = server::fork(std::move(wanted));
  client clients({.connect = "unix:" + path, .min_workers = 0, .timeout = 5min});
  weft::run([&] {
    auto held = clients.checkout();
    auto runs = held.start("sleep_ms", 3'600'000);
    std::vector<weft::workers::running_call<void>> all;
    const std::string name(200, 'n');  // is in each refusal
    for (int i = 0; i < 10'000; ++i) all.push_back(held.start(name));
    int refused = 0;
    for (auto& one : all) {
      try {
        one.get();
      } catch (const weft::error& why) {
        if (why.code() == weft::errc::resource_exhausted) ++refused;
      }
    }
    EXPECT_EQ(refused, 10'000);
  });
}

// Which of the two calls would a frame with that id be for?
TEST_F(listening, a_call_with_the_id_of_one_that_runs_ends_its_connection_only) {
  const auto running = server::fork(options());
  auto clients = client_with(1);
  weft::bytes arguments;
  weft::wire::binary_encoder encoder(arguments);
  weft::encode(encoder, std::tuple(3'600'000));
  weft::workers::detail::call_frame call;
  call.id = 7;
  call.target = "sleep_ms";
  call.arguments = weft::as_text(arguments);
  weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
  write_frame(said, weft::workers::detail::hello_frame{});
  write_frame(said, call);
  write_frame(said, call);
  weft::run([&] {
    auto held = clients.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    const auto heard = talk(weft::as_text(said));  // all of it, to its end
    weft::wire::frame_reader reader;
    reader.append(weft::as_bytes(heard));
    const auto welcome = reader.next();
    ASSERT_TRUE(welcome);
    EXPECT_EQ(welcome->type, static_cast<std::uint8_t>(weft::workers::detail::frame_type::welcome));
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(held.call<std::int64_t>("pid"), pid);
  });
  const auto seen = status_with([](const auto& now) { return now.workers.size() < 2; });
  EXPECT_EQ(seen.died, 0U);  // it was the client's fault
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
