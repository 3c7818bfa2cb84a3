#include <gtest/gtest.h>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include <weft/executor/blocking.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/simulate.hpp>

#include "hook/blocking_descriptors.hpp"

namespace {

using namespace std::chrono_literals;

TEST(hooked_poll, waits_for_one_or_several) {
  weft::run([] {
    const blocking_pair first;
    const blocking_pipe second;
    auto poller = weft::go([&] {
      pollfd one{first.here.get(), POLLIN, 0};
      EXPECT_EQ(poll(&one, 1, -1), 1);
      EXPECT_EQ(one.revents, POLLIN);
      pollfd all[4] = {{-1, POLLIN, 0},
                       {first.there.get(), POLLIN, 0},
                       {second.reader.get(), POLLIN, 0},
                       {second.reader.get(), POLLIN | POLLRDNORM, 0}};
      EXPECT_EQ(poll(all, 4, 10'000), 2);
      EXPECT_EQ(all[1].revents, 0);
      EXPECT_EQ(all[2].revents, POLLIN);
      EXPECT_EQ(all[3].revents, POLLIN | POLLRDNORM);
    });
    weft::yield();
    EXPECT_EQ(write(first.there.get(), "x", 1), 1);
    weft::sleep_for(1ms);
    EXPECT_FALSE(poller.done());
    EXPECT_EQ(write(second.writer.get(), "x", 1), 1);
    poller.join();
  });
}

TEST(hooked_poll, timeouts_are_not_early_and_others_run_meanwhile) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    int ran = 0;
    auto other = weft::go([&] {
      for (; ran < 1000; ++ran) weft::sleep_for(1ms);
    });
    pollfd all[2] = {{sockets.here.get(), POLLIN, 0}, {ends.reader.get(), POLLIN, 0}};
    for (const nfds_t count : {0, 1, 2}) {
      const int before = ran;
      const auto begin = weft::steady_clock::now();
      EXPECT_EQ(poll(all, count, 20), 0);
      EXPECT_GE(weft::steady_clock::now() - begin, 20ms);
      EXPECT_GT(ran, before);
    }
    const int before = ran;
    EXPECT_EQ(poll(all, 2, 0), 0);
    EXPECT_EQ(ran, before) << "a look lets nobody run";
    const timespec bound{0, 20'000'000};
    const auto begin = weft::steady_clock::now();
    EXPECT_EQ(ppoll(all, 2, &bound, nullptr), 0);
    EXPECT_GE(weft::steady_clock::now() - begin, 20ms);
    other.cancel();
    try {
      other.join();
    } catch (const weft::cancelled&) {
    }
  });
}

TEST(hooked_poll, what_was_not_asked_for_does_not_wake_it) {
  weft::run([] {
    blocking_pair sockets;
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    pollfd one{sockets.here.get(), POLLPRI, 0};
    EXPECT_EQ(poll(&one, 1, 5), 0);
    auto poller = weft::go([&] {
      pollfd peer_gone{sockets.here.get(), POLLRDHUP, 0};
      EXPECT_EQ(poll(&peer_gone, 1, -1), 1);
      EXPECT_NE(peer_gone.revents & POLLRDHUP, 0);
    });
    weft::sleep_for(1ms);
    EXPECT_FALSE(poller.done());
    sockets.there.reset();
    poller.join();
  });
}

TEST(hooked_poll, a_closed_descriptor_wakes_it) {
  weft::run([] {
    for (const nfds_t count : {1, 2}) {
      blocking_pair sockets;
      const blocking_pipe ends;
      const int number = sockets.here.get();
      auto poller = weft::go([&] {
        pollfd all[2] = {{number, POLLIN, 0}, {ends.reader.get(), POLLIN, 0}};
        EXPECT_EQ(poll(all, count, -1), 1);
        EXPECT_EQ(all[0].revents, POLLNVAL);
      });
      weft::yield();
      sockets.here.reset();
      poller.join();
    }
  });
}

TEST(hooked_poll, a_closed_descriptor_is_told_whatever_has_its_number) {
  weft::run([] {
    for (const nfds_t count : {1, 2}) {
      const blocking_pair sockets;
      const blocking_pair others;
      const blocking_pipe ends;
      const int number = sockets.here.get();
      auto poller = weft::go([&] {
        pollfd all[2] = {{number, POLLIN, 0}, {ends.reader.get(), POLLIN, 0}};
        EXPECT_EQ(poll(all, count, 20'000), 1);
        EXPECT_EQ(all[0].revents, POLLNVAL);
        EXPECT_EQ(all[1].revents, 0);
      });
      auto selecting = weft::go([&] {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(number, &wanted);
        if (count > 1) FD_SET(ends.reader.get(), &wanted);
        timeval bound{20, 0};
        EXPECT_EQ(select(FD_SETSIZE, &wanted, nullptr, nullptr, &bound), -1);
        EXPECT_EQ(errno, EBADF);
      });
      weft::yield();
      EXPECT_EQ(dup2(others.here.get(), number), number);
      poller.join();
      selecting.join();
    }
  });
}

TEST(hooked_poll, select_waits_and_tells_what_is_left) {
  weft::run([] {
    blocking_pair sockets;
    const int fd = sockets.here.get();
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    timeval bound{0, 5'000};
    EXPECT_EQ(select(fd + 1, &readable, nullptr, nullptr, &bound), 0);
    EXPECT_FALSE(FD_ISSET(fd, &readable));
    EXPECT_EQ(bound.tv_usec, 0);

    auto waiting = weft::go([&] {
      fd_set wanted;
      fd_set except;
      FD_ZERO(&wanted);
      FD_ZERO(&except);
      FD_SET(fd, &wanted);
      FD_SET(fd, &except);
      timeval long_bound{1000, 0};
      EXPECT_EQ(select(fd + 1, &wanted, nullptr, &except, &long_bound), 1);
      EXPECT_TRUE(FD_ISSET(fd, &wanted));
      EXPECT_FALSE(FD_ISSET(fd, &except));
      EXPECT_GT(long_bound.tv_sec, 900);
    });
    weft::yield();
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    waiting.join();

    // The peer's end is no exceptional condition, though epoll tells of it always.
    sockets.there.reset();
    fd_set except;
    FD_ZERO(&except);
    FD_SET(fd, &except);
    const timespec short_bound{0, 5'000'000};
    EXPECT_EQ(pselect(fd + 1, nullptr, nullptr, &except, &short_bound, nullptr), 0);
  });
}

TEST(hooked_poll, epoll_wait_waits) {
  weft::run([] {
    const blocking_pair sockets;
    const weft::unique_fd set(epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u32 = 7;
    ASSERT_EQ(epoll_ctl(set.get(), EPOLL_CTL_ADD, sockets.here.get(), &wanted), 0);
    epoll_event got{};
    EXPECT_EQ(epoll_wait(set.get(), &got, 1, 5), 0);
    auto waiting = weft::go([&] {
      epoll_event came{};
      EXPECT_EQ(epoll_wait(set.get(), &came, 1, -1), 1);
      return came.data.u32;
    });
    weft::yield();
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    EXPECT_EQ(waiting.join(), 7U);
  });
}

TEST(hooked_sleep, fibers_sleep_beside_each_other) {
  weft::run([] {
    int begun = 0;
    const auto expect_all_begun = [&] { EXPECT_EQ(begun, 4) << "the others slept one after the other"; };
    std::vector<weft::fiber<void>> all;
    all.push_back(weft::go([&] {
      ++begun;
      EXPECT_EQ(usleep(6000), 0);
      expect_all_begun();
    }));
    all.push_back(weft::go([&] {
      ++begun;
      const timespec time{0, 4'000'000};
      timespec left{9, 9};
      EXPECT_EQ(nanosleep(&time, &left), 0);
      expect_all_begun();
    }));
    all.push_back(weft::go([&] {
      ++begun;
      timespec time{};
      clock_gettime(CLOCK_REALTIME, &time);
      time.tv_nsec += 2'000'000;
      if (time.tv_nsec >= 1'000'000'000) {
        time.tv_nsec -= 1'000'000'000;
        ++time.tv_sec;
      }
      EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nullptr), 0);
      timespec now{};
      clock_gettime(CLOCK_REALTIME, &now);
      EXPECT_TRUE(now.tv_sec > time.tv_sec || (now.tv_sec == time.tv_sec && now.tv_nsec >= time.tv_nsec));
      expect_all_begun();
    }));
    all.push_back(weft::go([&] {
      ++begun;
      std::this_thread::sleep_for(1ms);
      expect_all_begun();
    }));
    for (auto& one : all) one.join();
  });
}

TEST(hooked_sleep, bad_times_are_refused_as_ever) {
  weft::run([] {
    const timespec bad{0, 2'000'000'000};
    errno = 0;
    EXPECT_EQ(nanosleep(&bad, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, nullptr), EINVAL);
    EXPECT_EQ(errno, 0);
    bool ran = false;
    auto other = weft::go([&] { ran = true; });
    EXPECT_EQ(sleep(0), 0U);
    EXPECT_TRUE(ran) << "a sleep for no time gives others their turn";
    other.join();
  });
}

TEST(hooked_sleep, passes_in_virtual_time) {
  const auto report = weft::simulate(1, [] {
    const auto begin = weft::steady_clock::now();
    EXPECT_EQ(sleep(86'400), 0U);
    EXPECT_GE(weft::steady_clock::now() - begin, 24h);
  });
  EXPECT_EQ(report.status, 0);
}

TEST(hooked_names, are_looked_up_on_another_thread) {
  weft::run([] {
    const auto on_threads = [] { return weft::get_blocking_statistics().started_tasks; };
    auto before = on_threads();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    ASSERT_EQ(getaddrinfo("localhost", "80", &hints, &found), 0);
    EXPECT_EQ(on_threads(), before + 1);
    char host[256] = {};
    char service[32] = {};
    EXPECT_EQ(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, service, sizeof service,
                          NI_NUMERICSERV),
              0);
    EXPECT_STREQ(service, "80");
    freeaddrinfo(found);

    hostent room{};
    std::vector<char> buffer(4096);
    hostent* entry = nullptr;
    int failed = 0;
    EXPECT_EQ(gethostbyname_r("localhost", &room, buffer.data(), buffer.size(), &entry, &failed), 0);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->h_addrtype, AF_INET);
    ASSERT_NE(gethostbyname("localhost"), nullptr);
    h_errno = 0;
    EXPECT_EQ(gethostbyname(""), nullptr);
    EXPECT_NE(h_errno, 0);
    found = nullptr;
    EXPECT_EQ(getaddrinfo("localhost", "no-such-service", nullptr, &found), EAI_SERVICE);
    EXPECT_EQ(on_threads(), before + 6) << "each of the calls";
    before = on_threads();
    ASSERT_EQ(getaddrinfo(nullptr, "80", &hints, &found), 0);
    freeaddrinfo(found);
    EXPECT_EQ(on_threads(), before) << "no name, no thread";
  });
}

TEST(hooked_names, of_hosts_are_the_threads_own) {
  weft::run([] {
    const auto last_byte = [](const hostent* of) {
      return of == nullptr ? -1 : static_cast<int>(static_cast<unsigned char>(of->h_addr_list[0][3]));
    };
    const hostent* const here = gethostbyname("127.0.0.1");
    const hostent* const elsewhere = weft::blocking([] { return gethostbyname("127.0.0.2"); });
    EXPECT_EQ(last_byte(here), 1) << "what another thread asks is put elsewhere";
    EXPECT_EQ(last_byte(elsewhere), 2);
    EXPECT_EQ(last_byte(gethostbyname2("127.0.0.3", AF_INET)), 3);
    EXPECT_EQ(last_byte(elsewhere), 2);
    const in_addr loopback{htonl(INADDR_LOOPBACK)};
    const hostent* const named = gethostbyaddr(&loopback, sizeof loopback, AF_INET);
    if (named != nullptr) {  // it need not have a name
      EXPECT_EQ(last_byte(named), 1);
    }
    EXPECT_EQ(last_byte(elsewhere), 2);
  });
}

}  // namespace
