#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/store.hpp>

#include "store_contract/folder.hpp"

namespace weft::jobs {

/// A folder of its own for each test, with the path of a database in it.
class sqlite_test : public testing::Test {
 protected:
  ~sqlite_test() override { std::filesystem::remove_all(folder_); }

  static new_job job(std::int64_t id) {
    new_job one;
    one.id = job_id{id};
    one.queue = "mail";
    one.handler = "mail.welcome";
    one.envelope = "envelope " + std::to_string(id);
    return one;
  }
  static void push(store& to, std::int64_t id) {
    const auto one = job(id);
    to.push({&one, 1});
  }
  /// Claims for worker 1, which joins if it has to.
  static claim_result claim(store& from, std::size_t count = 1) {
    const auto present = from.workers();
    if (std::none_of(present.begin(), present.end(), [](const auto& one) { return one.id == worker_id{1}; }))
      from.add_worker({.id = worker_id{1}, .host = "h", .pid = 1, .build = "b"});
    claim_request request;
    request.owner = worker_id{1};
    request.queues = {"mail"};
    request.count = count;
    request.now = moment(std::chrono::seconds(1));
    return from.claim(request);
  }
  std::shared_ptr<store> open(const store_options& options = {}) const {
    return open_store("sqlite:" + path_, options);
  }

  std::string folder_ = store_contract_support::make_folder();
  std::string path_ = folder_ + "/jobs.db";
};

/// Lets all calls come to the store's writer in one turn, which begins with `before_turn`: until each waits
/// for it, it is kept in the body of a transaction, which changes nothing.
inline void in_one_turn(
    store& kept, const std::vector<std::function<void()>>& calls,
    const std::function<void()>& before_turn = [] {}) {
  std::promise<void> begun;
  std::promise<void> all_wait;
  std::thread holder([&] {
    try {
      kept.transact(
          [&](store_transaction&) {
            begun.set_value();
            all_wait.get_future().wait();
            before_turn();
          },
          {.limit = std::chrono::minutes(5)});
    } catch (const error&) {  // NOLINT(bugprone-empty-catch): a fault may meet its end, too
    }
  });
  begun.get_future().wait();
  run([&] {
    std::vector<fiber<void>> callers;
    std::size_t calling = 0;
    for (const auto& call : calls) {
      callers.push_back(go([&] {
        ++calling;
        call();
      }));
    }
    while (calling < calls.size()) yield();  // each goes on until it waits: there is one thread
    all_wait.set_value();
    for (auto& one : callers) one.join();
  });
  holder.join();
}

/// What `body` fails with; fails the test if it does not.
inline error failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const error& failed) {
    return failed;
  }
  ADD_FAILURE() << "no error";
  return error(errc::unknown, "");
}

/// Runs `body` in a forked child and returns its wait status.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (const std::exception& failed) {
      (void)!::write(2, failed.what(), std::char_traits<char>::length(failed.what()));
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace weft::jobs
