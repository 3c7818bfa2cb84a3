#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <openssl/rand.h>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/wire/random.hpp>

#include "workers/listening.hpp"

// Workers of one server are told apart, in what they draw and in what they are called, and have services of
// their own.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::server;

constexpr std::size_t siblings = 20;

std::string draw_from_openssl() {
  unsigned char drawn[16];
  if (RAND_bytes(drawn, sizeof drawn) != 1) return {};
  return std::to_string(*reinterpret_cast<std::uint64_t*>(drawn));
}

std::string draw_from_weft() { return std::string(weft::as_text(weft::wire::random_bytes(16))); }

std::set<std::string> draws(client& pool, std::string_view name) {
  std::set<std::string> all;
  weft::run([&] {
    std::vector<weft::workers::checkout> held;
    while (held.size() < siblings) {
      held.push_back(pool.checkout());
      all.insert(weft::wire::to_json(held.back().call<weft::bytes>(name)));
    }
  });
  return all;
}

void offer_draws(weft::workers::interfaces& offered) {
  offered.add("draw_from_openssl", [] { return weft::to_bytes(draw_from_openssl()); });
  offered.add("draw_from_weft", [] { return weft::to_bytes(draw_from_weft()); });
}

using server_of_siblings = weft_test::listening;

TEST_F(server_of_siblings, draw_different_random_numbers) {
  for (const std::size_t in_advance : {std::size_t{0}, siblings}) {
    auto wanted = options();
    wanted.min_workers = in_advance;
    offer_draws(wanted.interface);
    (void)draw_from_openssl();  // its state is there before the forks
    (void)draw_from_weft();
    auto running = server::fork(std::move(wanted));
    client pool({.connect = "unix:" + path, .min_workers = 0, .max_workers = siblings});
    EXPECT_EQ(draws(pool, "draw_from_openssl").size(), siblings);
    EXPECT_EQ(draws(pool, "draw_from_weft").size(), siblings);
    running.terminate(60s);
  }
}

TEST(program_of_siblings, draw_different_random_numbers) {
  client pool({.min_workers = 0, .max_workers = siblings});
  EXPECT_EQ(draws(pool, "draw_from_openssl").size(), siblings);
  EXPECT_EQ(draws(pool, "draw_from_weft").size(), siblings);
}

// What ps shows.
std::string title_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string title;
  std::getline(file, title, '\0');
  return title;
}

TEST_F(server_of_siblings, are_called_by_the_servers_name) {
  auto wanted = options();
  wanted.name = "mail";
  auto running = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path});
  weft::run([&] { EXPECT_EQ(title_of(pool.call<std::int64_t>("pid")), "weft-worker:mail"); });
  EXPECT_EQ(title_of(running.pid()), "weft-server:mail");
}

// --- services ---

class ledger {
 public:
  explicit ledger(int& made) { ++made; }
  void write() { ++open_; }
  void roll_back() { open_ = 0; }
  int open() const { return open_; }

 private:
  int open_ = 0;
};

int ledgers_made = 0;

void offer_ledger(weft::workers::server_options& of) {
  of.interface.add("write", [](ledger& book) { book.write(); });
  of.interface.add("open", [](ledger& book) { return book.open(); });
  of.interface.add("made", [] { return ledgers_made; });
  of.setup = [](weft::services& all) { all.add<ledger>([] { return ledger(ledgers_made); }); };
}

TEST_F(server_of_siblings, make_services_when_they_are_asked_for_and_each_their_own) {
  auto wanted = options();
  offer_ledger(wanted);
  auto running = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path, .min_workers = 0});
  weft::run([&] {
    auto one = pool.checkout();
    EXPECT_EQ(one.call<int>("made"), 0);
    one.call("write");
    EXPECT_EQ(one.call<int>("made"), 1);
    EXPECT_EQ(one.call<int>("open"), 1);
    auto other = pool.checkout();
    EXPECT_EQ(other.call<int>("open"), 0);
    EXPECT_EQ(one.call<int>("open"), 1);
  });
}

void roll_back(ledger& book) { book.roll_back(); }

TEST_F(server_of_siblings, clean_services_between_checkouts) {
  auto wanted = options();
  offer_ledger(wanted);
  wanted.checkout_done = &roll_back;
  auto running = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path, .min_workers = 0, .max_workers = 1});
  weft::run([&] {
    pool.call("write");
    EXPECT_EQ(pool.call<int>("open"), 0);
    EXPECT_EQ(pool.call<int>("made"), 1);
  });
}

// The end of each checkout goes along with the next one's call.
TEST_F(server_of_siblings, clean_services_between_checkouts_that_stand_in_line) {
  auto wanted = options();
  offer_ledger(wanted);
  wanted.checkout_done = &roll_back;
  auto running = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path, .min_workers = 0, .max_workers = 1});
  weft::run([&] {
    weft::scope all;
    for (int i = 0; i < 50; ++i) {
      all.go([&] {
        auto one = pool.checkout();
        one.call("write");
        EXPECT_EQ(one.call<int>("open"), 1);
      });
    }
    all.join();
    EXPECT_EQ(pool.call<int>("open"), 0);
    EXPECT_EQ(pool.call<int>("made"), 1);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto setup = [](weft::services&, weft::workers::interfaces& offered) {
    (void)draw_from_openssl();
    (void)draw_from_weft();
    offer_draws(offered);
  };
  return weft::main(argc, argv, setup, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
