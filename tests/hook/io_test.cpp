#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "hook/blocking_descriptors.hpp"
#include "support/descriptors.hpp"
#include "support/scratch_folder.hpp"

// Both ends are on fibers of one thread: a call that blocked it would never come back.

namespace {

constexpr std::size_t much = 1'000'000;

std::string pattern(std::size_t bytes) {
  std::string made(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<char>('a' + (i * 31 + i / 4096) % 26);
  return made;
}

std::string read_to_end(int fd) {
  std::string all;
  std::vector<char> piece(8192);
  for (;;) {
    const ssize_t count = read(fd, piece.data(), piece.size());
    EXPECT_GE(count, 0) << errno;
    if (count <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// A fiber that reads a byte, and gives it.
weft::fiber<char> byte_from(int fd) {
  return weft::go([fd] {
    char got = 0;
    EXPECT_EQ(read(fd, &got, 1), 1);
    return got;
  });
}

/// A fiber that reads a byte, and gives errno where that fails; else 0.
weft::fiber<int> failing_read(int fd) {
  return weft::go([fd] {
    char got = 0;
    return read(fd, &got, 1) == -1 ? errno : 0;
  });
}

TEST(hooked_io, a_read_of_an_empty_socket_lets_other_fibers_run) {
  weft::run([] {
    const blocking_pair sockets;
    auto reader = weft::go([&] {
      char got = 0;
      EXPECT_EQ(recv(sockets.here.get(), &got, 1, 0), 1);
      return got;
    });
    weft::yield();
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    EXPECT_EQ(reader.join(), 'x');
  });
}

TEST(hooked_io, a_large_write_to_a_socket_or_a_pipe_is_written_whole) {
  weft::run([] {
    const std::string sent = pattern(much);
    blocking_pair sockets;
    blocking_pipe ends;
    for (auto [from, to] :
         {std::pair{&sockets.here, &sockets.there}, std::pair{&ends.reader, &ends.writer}}) {
      auto reader = weft::go([fd = from->get()] { return read_to_end(fd); });
      EXPECT_EQ(write(to->get(), sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
      to->reset();
      EXPECT_TRUE(reader.join() == sent);
    }
  });
}

TEST(hooked_io, a_vector_is_written_whole_and_read_in_pieces) {
  weft::run([] {
    std::string sent = pattern(much);
    blocking_pair sockets;
    blocking_pipe ends;
    for (auto [from, to] :
         {std::pair{&sockets.here, &sockets.there}, std::pair{&ends.reader, &ends.writer}}) {
      auto reader = weft::go([fd = from->get()] {
        std::string all;
        std::vector<char> piece(5000);
        for (;;) {
          iovec parts[3] = {{piece.data(), 0}, {piece.data(), 100}, {piece.data() + 100, 4900}};
          const ssize_t count = readv(fd, parts, 3);
          if (count <= 0) return all;
          all.append(piece.data(), static_cast<std::size_t>(count));
        }
      });
      std::vector<iovec> parts;
      for (std::size_t at = 0; at < sent.size(); at += 25'000) parts.push_back({sent.data() + at, 25'000});
      EXPECT_EQ(writev(to->get(), parts.data(), static_cast<int>(parts.size())),
                static_cast<ssize_t>(sent.size()));
      to->reset();
      EXPECT_TRUE(reader.join() == sent);
    }
  });
}

TEST(hooked_io, what_does_not_block_says_so_at_once) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    char got = 0;
    EXPECT_EQ(recv(sockets.here.get(), &got, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN);
    for (const int fd : {sockets.here.get(), ends.reader.get()}) {
      fcntl(fd, F_SETFL, O_NONBLOCK);
      errno = 0;
      EXPECT_EQ(read(fd, &got, 1), -1);
      EXPECT_EQ(errno, EAGAIN);
    }
    for (const int fd : {sockets.there.get(), ends.writer.get()}) {
      fcntl(fd, F_SETFL, O_NONBLOCK);
      const std::string sent = pattern(much);
      const ssize_t went = write(fd, sent.data(), sent.size());
      EXPECT_GT(went, 0);
      EXPECT_LT(went, static_cast<ssize_t>(sent.size())) << "a socket that does not block takes a part";
    }
  });
}

TEST(hooked_io, the_time_limits_of_a_socket_hold) {
  weft::run([] {
    const blocking_pair sockets;
    const timeval bound{0, 20'000};
    setsockopt(sockets.here.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    setsockopt(sockets.here.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    bool other_ran = false;
    auto other = weft::go([&] { other_ran = true; });
    char got = 0;
    const auto begin = weft::steady_clock::now();
    EXPECT_EQ(read(sockets.here.get(), &got, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_GE(weft::steady_clock::now() - begin, std::chrono::milliseconds(20));
    EXPECT_TRUE(other_ran);
    // What went before the bound is the result, as the kernel has it; then there is room for nothing.
    const std::string sent = pattern(much);
    const ssize_t went = send(sockets.here.get(), sent.data(), sent.size(), 0);
    EXPECT_GT(went, 0);
    EXPECT_LT(went, static_cast<ssize_t>(sent.size()));
    EXPECT_EQ(send(sockets.here.get(), "x", 1, 0), -1);
    EXPECT_EQ(errno, EAGAIN);
    other.join();
  });
}

TEST(hooked_io, waitall_waits_for_all_and_a_peek_takes_nothing) {
  weft::run([] {
    const blocking_pair sockets;
    auto writer = weft::go([&] {
      for (const char* part : {"ab", "cd", "e"}) {
        EXPECT_GT(write(sockets.there.get(), part, strlen(part)), 0);
        weft::yield();
      }
    });
    char got[6] = {};
    EXPECT_EQ(recv(sockets.here.get(), got, 1, MSG_PEEK), 1);
    EXPECT_EQ(recv(sockets.here.get(), got, 5, MSG_WAITALL), 5);
    EXPECT_STREQ(got, "abcde");
    writer.join();
  });
}

TEST(hooked_io, connect_and_accept_wait) {
  weft::run([] {
    blocking_listener listening;
    auto server = weft::go([&] {
      sockaddr_in peer{};
      socklen_t bytes = sizeof peer;
      const weft::unique_fd taken(accept(listening.fd.get(), reinterpret_cast<sockaddr*>(&peer), &bytes));
      EXPECT_EQ(peer.sin_family, AF_INET);
      return read_to_end(taken.get());
    });
    weft::yield();
    const weft::unique_fd client(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(client.get(), listening.generic(), sizeof listening.address), 0) << errno;
    EXPECT_EQ(fcntl(client.get(), F_GETFL) & O_NONBLOCK, 0) << "the flag is back";
    EXPECT_EQ(send(client.get(), "hello", 5, 0), 5);
    shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(server.join(), "hello");

    const weft::unique_fd refused(socket(AF_INET, SOCK_STREAM, 0));
    listening.fd.reset();
    EXPECT_EQ(connect(refused.get(), listening.generic(), sizeof listening.address), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
  });
}

TEST(hooked_io, connect_to_a_full_backlog_waits_for_room) {
  weft::run([] {
    const weft_test::scratch_folder folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "socket").copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    const weft::unique_fd listening(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(listening.get(), generic, sizeof address), 0);
    ASSERT_EQ(listen(listening.get(), 0), 0);
    std::vector<weft::fiber<int>> clients;
    for (int n = 0; n < 4; ++n) {
      clients.push_back(weft::go([&] {
        const weft::unique_fd client(socket(AF_UNIX, SOCK_STREAM, 0));
        return connect(client.get(), generic, sizeof address);
      }));
    }
    for (int n = 0; n < 4; ++n) {
      EXPECT_TRUE(weft::unique_fd(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    }
    for (auto& one : clients) EXPECT_EQ(one.join(), 0);
  });
}

TEST(hooked_io, several_fibers_may_read_the_same) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    for (auto [from, to] : {std::pair{sockets.here.get(), sockets.there.get()},
                            std::pair{ends.reader.get(), ends.writer.get()}}) {
      std::vector<weft::fiber<ssize_t>> readers;
      for (int n = 0; n < 3; ++n) {
        readers.push_back(weft::go([fd = from]() -> ssize_t {
          char got = 0;
          return read(fd, &got, 1);
        }));
      }
      weft::yield();
      EXPECT_EQ(write(to, "abc", 3), 3);
      for (auto& one : readers) EXPECT_EQ(one.join(), 1);
    }
  });
}

TEST(hooked_io, a_close_ends_the_waits_and_the_number_is_free_for_another) {
  weft::run([] {
    blocking_pair sockets;
    const int number = sockets.here.get();
    // The third one waits for what another waits for as well.
    std::vector<weft::fiber<int>> readers;
    for (int n = 0; n < 3; ++n) {
      readers.push_back(failing_read(number));
    }
    weft::yield();
    const weft::unique_fd copy(dup(number));  // epoll would go on for its sake
    EXPECT_EQ(close(sockets.here.release()), 0);
    const blocking_pipe others;
    for (auto& one : readers) EXPECT_EQ(one.join(), EBADF);

    weft::unique_fd reader(dup2(others.reader.get(), number));
    ASSERT_EQ(reader.get(), number);
    auto next = byte_from(number);
    weft::yield();
    EXPECT_EQ(write(sockets.there.get(), "old", 3), 3) << "an event for the copy is nobody's";
    weft::yield();
    EXPECT_FALSE(next.done());
    EXPECT_EQ(write(others.writer.get(), "n", 1), 1);
    EXPECT_EQ(next.join(), 'n');
  });
}

TEST(hooked_io, dup2_dup3_and_close_range_end_waits_too) {
  weft::run([] {
    for (int way = 0; way < 3; ++way) {
      blocking_pair sockets;
      const blocking_pipe others;
      const int number = sockets.here.get();
      auto reader = failing_read(number);
      weft::yield();
      if (way == 0) {
        EXPECT_EQ(dup2(others.reader.get(), number), number);
      } else if (way == 1) {
        EXPECT_EQ(dup3(others.reader.get(), number, O_CLOEXEC), number);
      } else {
        EXPECT_EQ(close_range(static_cast<unsigned>(number), static_cast<unsigned>(number), 0), 0);
        static_cast<void>(sockets.here.release());
      }
      EXPECT_EQ(reader.join(), EBADF);
    }
    blocking_pair sockets;
    auto reader = weft::go([&] {
      char got = 0;
      return read(sockets.here.get(), &got, 1);
    });
    weft::yield();
    EXPECT_EQ(dup2(-1, sockets.here.get()), -1) << "which closes nothing";
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    EXPECT_EQ(reader.join(), 1);
  });
}

TEST(hooked_io, errno_is_the_fibers_own_and_stays_where_a_call_ends_well) {
  weft::run([] {
    const blocking_pair sockets;
    auto reader = weft::go([&] {
      errno = EDOM;
      char got = 0;
      EXPECT_EQ(read(sockets.here.get(), &got, 1), 1);
      EXPECT_EQ(errno, EDOM);
    });
    weft::yield();
    errno = ERANGE;
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    EXPECT_EQ(errno, ERANGE);
    reader.join();
    EXPECT_EQ(errno, ERANGE);
  });
}

TEST(hooked_io, files_and_errors_are_as_ever) {
  weft::run([] {
    const weft_test::scratch_folder folder;
    const std::string path = folder / "file";
    const std::string sent = pattern(much);
    const weft::unique_fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(write(file.get(), sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
    std::string got(much, '\0');
    EXPECT_EQ(read(file.get(), got.data(), got.size()), static_cast<ssize_t>(got.size()));
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(read(file.get(), got.data(), got.size()), 0);
    errno = 0;
    EXPECT_EQ(read(-1, got.data(), 1), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(send(file.get(), "x", 1, 0), -1);
    EXPECT_EQ(errno, ENOTSOCK);
    blocking_pair sockets;
    sockets.there.reset();
    EXPECT_EQ(send(sockets.here.get(), "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(read(sockets.here.get(), got.data(), 1), 0);
  });
}

TEST(hooked_io, a_message_with_a_descriptor_goes_whole_and_once) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe passed;
    std::string sent = pattern(much);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec all{sent.data(), sent.size()};
    msghdr message{};
    message.msg_iov = &all;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = passed.reader.get();
    memcpy(CMSG_DATA(header), &number, sizeof number);
    auto reader = weft::go([&] {
      std::string got;
      std::vector<char> piece(50'000);
      int descriptors = 0;
      while (got.size() < much) {
        alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
        iovec part{piece.data(), piece.size()};
        msghdr taken{};
        taken.msg_iov = &part;
        taken.msg_iovlen = 1;
        taken.msg_control = room;
        taken.msg_controllen = sizeof room;
        const ssize_t count = recvmsg(sockets.here.get(), &taken, MSG_CMSG_CLOEXEC);
        if (count <= 0) break;
        got.append(piece.data(), static_cast<std::size_t>(count));
        if (const cmsghdr* const one = CMSG_FIRSTHDR(&taken)) {
          ++descriptors;
          int came = -1;
          memcpy(&came, CMSG_DATA(one), sizeof came);
          close(came);
        }
      }
      EXPECT_TRUE(got == sent);
      return descriptors;
    });
    EXPECT_EQ(sendmsg(sockets.there.get(), &message, 0), static_cast<ssize_t>(much));
    EXPECT_EQ(reader.join(), 1);
  });
}

TEST(hooked_io, datagrams_keep_their_borders_and_senders) {
  weft::run([] {
    const weft::unique_fd to(socket(AF_INET, SOCK_DGRAM, 0));
    const weft::unique_fd from(socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t bytes = sizeof address;
    ASSERT_EQ(bind(to.get(), generic, bytes), 0);
    ASSERT_EQ(getsockname(to.get(), generic, &bytes), 0);
    auto receiver = weft::go([&] {
      char got[8] = {};
      sockaddr_in sender{};
      socklen_t sender_bytes = sizeof sender;
      EXPECT_EQ(recvfrom(to.get(), got, sizeof got, 0, reinterpret_cast<sockaddr*>(&sender), &sender_bytes),
                2);
      EXPECT_EQ(sender_bytes, sizeof sender);
      EXPECT_EQ(ntohl(sender.sin_addr.s_addr), INADDR_LOOPBACK);
      EXPECT_EQ(recv(to.get(), got, sizeof got, 0), 3);
    });
    weft::yield();
    EXPECT_EQ(sendto(from.get(), "ab", 2, 0, generic, bytes), 2);
    EXPECT_EQ(sendto(from.get(), "cde", 3, 0, generic, bytes), 3);
    receiver.join();
  });
}

TEST(hooked_io, a_datagram_waits_for_room_at_its_receiver) {
  weft::run([] {
    const weft_test::scratch_folder folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "socket").copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    const weft::unique_fd to(socket(AF_UNIX, SOCK_DGRAM, 0));
    const weft::unique_fd from(socket(AF_UNIX, SOCK_DGRAM, 0));
    ASSERT_EQ(bind(to.get(), generic, sizeof address), 0);
    while (sendto(from.get(), "x", 1, MSG_DONTWAIT, generic, sizeof address) == 1) {
    }
    auto sender = weft::go([&] { return sendto(from.get(), "y", 1, 0, generic, sizeof address); });
    weft::sleep_for(std::chrono::milliseconds(3));
    EXPECT_FALSE(sender.done());
    char got = 0;
    do {
      ASSERT_EQ(recv(to.get(), &got, 1, 0), 1);
    } while (got != 'y');
    EXPECT_EQ(sender.join(), 1);
  });
}

TEST(hooked_io, plain_threads_block_as_ever) {
  const blocking_pair sockets;
  std::thread reader([&] {
    char got = 0;
    EXPECT_EQ(read(sockets.here.get(), &got, 1), 1);
  });
  weft::run([&] { EXPECT_EQ(write(sockets.there.get(), "x", 1), 1); });
  reader.join();
}

TEST(hooked_io, a_plain_thread_in_a_call_can_be_cancelled) {
  const blocking_pair sockets;
  int number = sockets.here.get();
  pthread_t thread{};
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* fd) -> void* {
                  char got = 0;
                  static_cast<void>(read(*static_cast<int*>(fd), &got, 1) + close(-1));
                  return nullptr;
                },
                &number),
            0);
  ASSERT_EQ(pthread_cancel(thread), 0);
  void* result = nullptr;
  ASSERT_EQ(pthread_join(thread, &result), 0);
  EXPECT_EQ(result, PTHREAD_CANCELED);
}

TEST(hooked_io, fibers_of_two_loops_talk) {
  weft::run(
      [] {
        const blocking_pair sockets;
        weft::scope all;
        constexpr int trips = 200;
        const auto bounce = [](int fd, bool begins) {
          char ball = 'b';
          for (int n = 0; n < trips; ++n) {
            if (begins) put(fd, std::string_view(&ball, 1));
            EXPECT_EQ(read(fd, &ball, 1), 1);
            if (!begins) put(fd, std::string_view(&ball, 1));
          }
        };
        all.go([&] { bounce(sockets.here.get(), true); });
        all.go([&] { bounce(sockets.there.get(), false); });
        all.join();
      },
      {.threads = 2});
}

}  // namespace
