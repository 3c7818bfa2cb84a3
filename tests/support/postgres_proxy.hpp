#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <weft/core/unique_fd.hpp>

#include "support/scratch_folder.hpp"

namespace weft_test {

/// Where a proxy breaks what goes through it.
enum class proxy_fault : unsigned char {
  cut_before,   ///< the server never sees what was sent: both connections are cut
  cut_after,    ///< the server gets it and answers; the answer is thrown away, and both connections are cut
  stall,        ///< the server gets it; nothing of its answer is read: it is as if the client were stopped
  hold_answer,  ///< the server gets it and answers; the answer is kept until let_go()
};

/// What comes after that.
enum class after_fault : unsigned char {
  nothing,    ///< it happens once
  again,      ///< it happens to each call with that text, until end_fault()
  shut_away,  ///< nobody comes through any more (refuse)
};

/// Stands between clients of PostgreSQL and a postgres_server, and hands everything on, until a client sends
/// a text for which a fault was set. It knows the server's messages as far as to see where an answer ends. A
/// client that reads nothing, as its process is stopped, waits alone.
///
/// Clients come on a Unix socket, or by TCP, where a cut is a reset. No TLS.
///
/// Thread-safety: all members, from any thread; those that wait block.
class postgres_proxy {
 public:
  enum class way : unsigned char { unix_socket, tcp };
  /// Before the server, or pooler, whose socket is in `server_folder`.
  explicit postgres_proxy(std::string server_folder, way how = way::unix_socket, int port = 5432);
  postgres_proxy(const postgres_proxy&) = delete;
  postgres_proxy& operator=(const postgres_proxy&) = delete;
  ~postgres_proxy();

  std::string url() const { return url_; }

  /// Does `what` to the next call in which some client sends `text`.
  void set_fault(proxy_fault what, std::string text, after_fault then = after_fault::nothing);
  /// From now on all goes through again.
  void end_fault();
  /// Waits until that has happened: the connection is cut, or the answer is kept.
  void wait_for_fault();
  /// Hands on the answer that is kept.
  void let_go();
  /// Cuts all connections there are.
  void cut_all();
  /// From now on a new connection is cut at once, until refuse(false).
  void refuse(bool now);
  /// How many clients have come so far.
  std::size_t clients() const;

 private:
  struct link;
  void listen_at(way how);
  void run();
  void take_client();
  void hand_to_server(link& one);
  void hand_to_client(link& one);
  bool is_faulty(link& one, std::string_view sent);
  bool ends_answer(link& one, std::string_view bytes);
  void wake() const;

  const std::string server_path_;
  scratch_folder folder_;
  std::string url_;
  weft::unique_fd listening_;
  weft::unique_fd woken_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<link> links_;             // guarded by mutex_
  std::optional<proxy_fault> fault_;  // guarded by mutex_
  std::string text_;                  // guarded by mutex_
  after_fault then_{};                // guarded by mutex_
  std::size_t faults_ = 0;            // guarded by mutex_; that have happened and were not waited for
  std::size_t clients_ = 0;           // guarded by mutex_
  bool refusing_ = false;             // guarded by mutex_
  bool ending_ = false;               // guarded by mutex_
  std::thread thread_;                // last: it uses all of the above
};

}  // namespace weft_test
