#include <weft/http/process_group.hpp>

#include <gtest/gtest.h>

#include <unistd.h>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/websocket.hpp>
#include <weft/process/child.hpp>
#include <weft/process/self.hpp>

#include "http/raw_client.hpp"
#include "support/scratch_folder.hpp"
#include "support/shared_board.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
using weft_test::comes_true;

constexpr std::string_view get_root = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the processes of a test tell it, in memory that all have.
struct board {
  std::atomic<int> began{0};
  std::atomic<int> left{0};
  std::atomic<int> inside{0};
  std::atomic<bool> go_on{false};
};

process_group_options on_any_port(std::size_t processes) {
  return {.listen = "127.0.0.1:0", .processes = processes};
}

/// A group in a process of its own, whose servers answer / with the number of their process.
class running_group {
 public:
  using routes = std::function<void(server&, server_process&, board&)>;
  explicit running_group(process_group_options options, const routes& add = {}) {
    process_group group(std::move(options));  // its socket shall be the supervisor's alone
    address_ = group.address();
    running_ = process::child::fork([&] {
      return group.run([&](server_process& here) {
        server serving(here.options());
        serving.get("/", [] { return std::to_string(::getpid()); });
        if (add) add(serving, here, on);
        ++on.began;
        here.serve(serving);
        ++on.left;
      });
    });
  }
  const net::endpoint& address() const { return address_; }
  /// The process that answers a new connection.
  pid_t who() const { return std::stoi(raw_client(net::stream::connect(address())).body_of(get_root)); }
  void signal(int number) { running_.kill(number); }
  process::exit_status stop() {
    signal(SIGTERM);
    return running_.wait();
  }

  board& on = weft_test::make_shared_board<board>();

 private:
  net::endpoint address_ = net::endpoint::tcp({}, 0);
  process::child running_;
};

/// Clients that ask all the time, until done(), each on a new connection or on one that it keeps.
class steady_clients {
 public:
  steady_clients(const net::endpoint& where, int fresh, int kept) : where_(where) {
    for (int i = 0; i < fresh; ++i) all_.go([this] { ask_anew(); });
    for (int i = 0; i < kept; ++i) all_.go([this] { ask_again(); });
  }
  void done() {
    done_ = true;
    all_.join();
  }
  int served() const { return served_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void ask_anew() {
    while (!done_ && failures_.empty()) {
      try {
        raw_client asking(net::stream::connect(where_));
        asking.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        note(asking.read_to_end().starts_with("HTTP/1.1 200 "), "new: a bad answer");
      } catch (const error& failed) {
        note(false, std::string("new: ") + failed.what());
      }
    }
  }
  void ask_again() {
    while (!done_ && failures_.empty()) {
      try {
        raw_client asking(net::stream::connect(where_));
        for (bool stays = true; stays && !done_;) {
          asking.send(get_root);
          const std::string head = asking.read_until("\r\n\r\n");
          stays = head.find("Connection: close") == std::string::npos;
          asking.read_exactly(std::stoul(head.substr(head.find("Content-Length: ") + 16)));
          note(head.starts_with("HTTP/1.1 200 "), head);
        }
      } catch (const error& failed) {
        note(false, std::string("kept: ") + failed.what());
      }
    }
  }
  void note(bool good, const std::string& what) {
    ++served_;
    if (!good) failures_.push_back(what);
  }

  const net::endpoint where_;
  bool done_ = false;
  int served_ = 0;
  std::vector<std::string> failures_;
  scope all_;  // last: ends first
};

TEST(http_process_group, twenty_reloads_under_load_refuse_and_reset_nobody) {
  running_group group(on_any_port(2));
  run([&] {
    EXPECT_TRUE(comes_true([&] { return group.on.began == 2; }));
    steady_clients clients(group.address(), 4, 4);
    int served = 0;
    for (int round = 1; round <= 20; ++round) {
      group.signal(SIGHUP);
      EXPECT_TRUE(comes_true([&] { return group.on.left == 2 * round && clients.served() > served; }))
          << round;
      served = clients.served();
    }
    clients.done();
    for (const std::string& one : clients.failures()) ADD_FAILURE() << one;
    EXPECT_EQ(group.on.began, 42);
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
    EXPECT_EQ(group.on.left, 42);
  });
}

/// What main() of this program does where it is started as a server: it answers with the last byte of its
/// file, the version, and with the pid of its supervisor.
int serve_as_program(const char* where) {
  process_group group({.listen = where, .processes = 2, .reloads_program = true});
  std::ifstream file("/proc/self/exe", std::ios::binary);
  file.seekg(-1, std::ios::end);
  const char version = static_cast<char>(file.get());
  const pid_t supervisor = ::getpid();
  return group.run([&](server_process& here) {
    server serving(here.options());
    serving.get("/", [&] { return version + std::to_string(supervisor); });
    here.serve(serving);
  });
}

TEST(http_process_group, a_reload_may_bring_a_new_program_and_refuses_nobody) {
  run([] {
    const weft_test::scratch_folder folder;
    const std::string program = folder / "server", where = "unix:" + (folder / "s");
    const auto install = [&](char version) {
      std::filesystem::copy_file("/proc/self/exe", folder / "new");
      std::ofstream(folder / "new", std::ios::binary | std::ios::app) << version;
      std::filesystem::rename(folder / "new", program);
    };
    const net::endpoint address = net::endpoint::parse(where);
    const auto ask = [&] { return raw_client(net::stream::connect(address)).body_of(get_root); };
    const auto is_version = [&](char version) {
      return [&ask, version] {
        try {
          return ask().front() == version;
        } catch (const error&) {  // it does not listen yet
          return false;
        }
      };
    };
    install('1');
    auto first = process::child::spawn({.program = program, .arguments = {"server", "--serve", where}});
    ASSERT_TRUE(comes_true(is_version('1')));
    steady_clients clients(address, 2, 2);
    std::filesystem::remove(program);
    std::ofstream(program) << "#!/bin/sh\n: > " << folder / "tried"
                           << "\nexit 3\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    first.kill(SIGHUP);
    ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(folder / "tried"); }));
    EXPECT_TRUE(is_version('1')());  // it changes nothing
    std::filesystem::remove(program);
    install('2');
    ASSERT_TRUE(comes_true([&] {
      first.kill(SIGHUP);  // as long as the one that failed is not seen to have ended, none is started
      sleep_for(50ms);
      return is_version('2')();
    }));
    EXPECT_EQ(first.wait(), process::exit_status::exited(0));
    clients.done();
    EXPECT_EQ(clients.failures(), std::vector<std::string>());
    EXPECT_GT(clients.served(), 0);
    const std::string last = ask();
    EXPECT_EQ(last.front(), '2');
    ASSERT_EQ(::kill(std::stoi(last.substr(1)), SIGTERM), 0);
    EXPECT_TRUE(comes_true([&] { return !std::filesystem::exists(folder / "s"); }));
  });
}

TEST(http_process_group, one_that_is_killed_is_replaced_while_the_others_serve) {
  running_group group(on_any_port(2));
  run([&] {
    EXPECT_TRUE(comes_true([&] { return group.on.began == 2; }));
    const pid_t killed = group.who();
    ::kill(killed, SIGKILL);
    EXPECT_TRUE(comes_true([&] { return ::kill(killed, 0) != 0; }));
    for (int i = 0; i < 50; ++i) EXPECT_NE(group.who(), killed);
    EXPECT_TRUE(comes_true([&] { return group.on.began == 3; }));
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
  });
}

TEST(http_process_group, websockets_of_different_processes_hear_each_other) {
  struct room {
    std::set<websocket*> here;
    void say(std::string_view what) {
      for (websocket* const one : here) one->send(what);
    }
  };
  running_group group(on_any_port(2), [](server& serving, server_process& here, board& on) {
    const auto guests = std::make_shared<room>();
    here.on_message([guests](std::string_view what) { guests->say(what); });
    serving.websocket("/room", [guests, &here, &on](websocket& socket) {
      guests->here.insert(&socket);
      socket.send(std::to_string(::getpid()));
      while (const auto heard = socket.read()) {
        if (heard->data == "hold") {
          ++on.inside;
          while (!on.go_on) std::this_thread::sleep_for(1ms);  // nobody of this process is served
          continue;
        }
        guests->say(heard->data);
        here.tell_others(heard->data);
      }
      guests->here.erase(&socket);
    });
  });
  run([&] {
    const std::string url = "ws://" + group.address().text() + "/room";
    websocket first = websocket::connect(url);
    const std::string where = first.read()->data;
    first.send("hold");
    EXPECT_TRUE(comes_true([&] { return group.on.inside == 1; }));
    websocket second = websocket::connect(url);
    EXPECT_NE(second.read()->data, where);
    group.on.go_on = true;
    for (int i = 0; i < 20; ++i) {
      first.send("of the first");
      EXPECT_EQ(first.read()->data, "of the first");
      EXPECT_EQ(second.read()->data, "of the first");
      second.send("of the second");
      EXPECT_EQ(first.read()->data, "of the second");
      EXPECT_EQ(second.read()->data, "of the second");
    }
    first.close();
    second.close();
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
  });
}

TEST(http_process_group, a_process_that_has_served_enough_is_replaced) {
  process_group_options options = on_any_port(2);
  options.requests_max = 30;
  running_group group(std::move(options));
  run([&] {
    steady_clients clients(group.address(), 1, 2);
    EXPECT_TRUE(comes_true([&] { return group.on.left >= 3; }));
    clients.done();
    for (const std::string& one : clients.failures()) ADD_FAILURE() << one;
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
  });
}

TEST(http_process_group, a_process_that_has_too_much_memory_is_replaced) {
  process_group_options options = on_any_port(1);
  options.resident_bytes_max = process::resident_bytes(::getpid()) + (64U << 20);
  running_group group(std::move(options), [](server& serving, server_process&, board&) {
    serving.get("/eat", [kept = std::make_shared<std::string>()] {
      kept->assign(128U << 20, 'x');
      return "eaten";
    });
  });
  run([&] {
    raw_client hungry(net::stream::connect(group.address()));
    EXPECT_EQ(hungry.body_of("GET /eat HTTP/1.1\r\nHost: a\r\n\r\n"), "eaten");
    hungry.stream().close();
    EXPECT_TRUE(comes_true([&] { return group.on.left == 1; }));
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
  });
}

TEST(http_process_group, stop_finishes_what_was_begun_and_refuses_what_comes) {
  running_group group(on_any_port(2), [](server& serving, server_process&, board&) {
    serving.get("/wait", [] {
      sleep_for(100ms);
      return "served";
    });
  });
  run([&] {
    EXPECT_TRUE(comes_true([&] { return group.on.began == 2; }));
    scope all;
    std::atomic<int> asked{0};
    for (int i = 0; i < 10; ++i) {
      all.go([&] {
        raw_client asking(net::stream::connect(group.address()));
        asking.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        asking.read_until("\r\n\r\n");  // so it is no longer on its way
        ++asked;
        EXPECT_TRUE(asking.read_to_end().ends_with("served"));
      });
    }
    while (asked < 10) yield();
    EXPECT_EQ(group.stop(), process::exit_status::exited(0));
    all.join();
    EXPECT_THROW(group.who(), error);
  });
}

TEST(http_process_group, a_port_in_use_is_an_error_before_anybody_is_forked) {
  const process_group first(on_any_port(1));
  process_group_options same = on_any_port(1);
  same.listen = first.address().text();
  EXPECT_THROW(process_group second(same), error);
}

}  // namespace
}  // namespace weft::http

int main(int count, char** arguments) {
  if (count == 3 && std::string_view(arguments[1]) == "--serve")
    return weft::http::serve_as_program(arguments[2]);
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
