#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weft/core/started_thread.hpp>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/database.hpp"
#include "jobs/sqlite/schema.hpp"
#include "jobs/sqlite/turn_queue.hpp"

namespace weft::inline v1::jobs::sqlite {

/// Serves what only reads, one request after the other, on a thread and a connection of its own: so a long
/// list holds up neither pushes nor claims. Each request sees one moment of the store, not before its ask().
///
/// Thread-safety: ask() may be called from any fiber or thread.
class reader {
 public:
  /// Opens nothing yet; the first request does.
  explicit reader(std::string path);
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  ~reader();

  /// Waits until `read` has run in a transaction of its own; what it throws reaches the caller. Cancelled
  /// before its turn came, it throws weft::cancelled.
  void ask(const std::function<void(database&)>& read);

 private:
  struct opened {
    explicit opened(const std::string& path);
    connection on;
    schema_watch schema{on};
    database statements{on};
  };

  void run();
  void serve(request& one);

  const std::string path_;
  turn_queue requests_;
  std::unique_ptr<opened> opened_;       // the thread's; none before the first request
  weft::detail::started_thread thread_;  // last: it uses all of the above
};

}  // namespace weft::inline v1::jobs::sqlite
