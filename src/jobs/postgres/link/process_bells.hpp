#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/parker.hpp>

#include "jobs/postgres/link/address.hpp"
#include "jobs/postgres/link/back_off.hpp"
#include "jobs/postgres/link/connection.hpp"

// One fiber, serve(), has the session: it sends what was rung and waits for what others ring. ring(),
// listen() and close() leave under mutex_ what is wanted; where the fiber waits for the server they cancel
// that wait, of which `waiting_` is the scope, and else it sees it before it waits again.

namespace weft::inline v1::jobs::postgres {

struct bells_options {
  std::vector<std::string> channels;  ///< names of identifiers, to hear
  /// On the loop's thread, for each that another session rang; must not wait.
  std::function<void(std::string_view channel, std::string_view payload)> heard;
  /// The same where some may have been missed: a session has begun to listen, at first or again.
  std::function<void()> may_have_missed;
};

/// Tells the other processes that use a database that something happened in it, and hears them: LISTEN and
/// NOTIFY on a session of its own, apart from all transactions.
///
/// What is rung goes out at once, and then, all of it together, at most every 5 ms; one ring is one
/// notification, however often it was rung meanwhile. While the server is away it is kept, and a session that
/// was lost is replaced. A pooler that gives sessions away at the end of a transaction lets nobody hear
/// anything: that is found out by trying, logged once, and hears() is false. Who wants to know must look from
/// time to time all the same.
///
/// Thread-safety: all but serve() from any fiber or thread.
class process_bells {
 public:
  static constexpr std::chrono::milliseconds apart{5};
  /// Kept to be rung; above that, payloads of a channel become one empty one, which means any.
  static constexpr std::size_t rung_max = 256;

  process_bells(address to, bells_options options);
  process_bells(const process_bells&) = delete;
  process_bells& operator=(const process_bells&) = delete;

  /// Connects when there is something to do, and goes on until close(). On a fiber of a loop.
  void serve();
  /// Rings for other processes, and this one. Never waits. An empty payload means any.
  void ring(std::string_view channel, std::string_view payload = {});
  /// Hears others from now on: may_have_missed is called when it does.
  void listen();
  /// Does it hear others now?
  bool hears() const;
  /// Was it found out that a pooler keeps it from hearing anything?
  bool is_deaf() const;
  /// Ends serve() when what was rung is sent, at once where the server is away.
  void close();

 private:
  using rung_set = std::set<std::pair<std::string, std::string>, std::less<>>;

  bool wait_for_wish();
  bool is_closed() const;
  void pause_after_failure();
  void begin_to_listen();
  void listen_to(std::string_view channel);
  bool hears_through_pooler();
  void send_rung();
  void hear();
  void hear_until_woken();
  void tell(const std::vector<notification>& all) const;
  void wake();  // under mutex_
  void set_hears(bool now);

  const address to_;
  const bells_options options_;
  std::unique_ptr<connection> session_;  // the fiber's, as what follows
  back_off pause_;
  bool listening_ = false;
  steady_time next_send_{};

  parker wishes_;  // the fiber parks here while it has no session
  mutable std::mutex mutex_;
  rung_set rung_;                    // guarded by mutex_
  bool wants_to_listen_ = false;     // guarded by mutex_
  bool closed_ = false;              // guarded by mutex_
  bool hears_ = false;               // guarded by mutex_
  bool deaf_ = false;                // guarded by mutex_
  cancel_scope* waiting_ = nullptr;  // guarded by mutex_
};

}  // namespace weft::inline v1::jobs::postgres
