#pragma once

#include <chrono>
#include <functional>

#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

struct sqlite3;

namespace weft::inline v1::jobs::sqlite {

class database;
class connection;

/// Runs the body of a user's transaction on the writer connection. Inside it an authorizer denies
/// BEGIN, COMMIT, ROLLBACK, the settings of the connection and writes to weft's own tables; a statement
/// that runs past the time limit is interrupted, and after the end of the transaction, which some errors of
/// SQLite bring, nothing is done any more. Installed once; it is passive outside of a body.
///
/// One thread: the writer's.
class body_guard {
 public:
  explicit body_guard(connection& on);
  body_guard(const body_guard&) = delete;
  body_guard& operator=(const body_guard&) = delete;
  ~body_guard();

  /// Runs `body` in a no_wait_scope. Throws what it throws, or weft::error: timed_out past the limit,
  /// misuse if it went on after the end of the transaction.
  void run(database& statements, const std::function<void(store_transaction&)>& body,
           const transaction_options& options);

  /// Throws misuse if the transaction of the running body is gone.
  void require_not_ended() const;

  /// Lets weft's own statements through while the body pushes.
  class [[nodiscard]] own_work {
   public:
    explicit own_work(body_guard& guard) noexcept : guard_(guard), former_(guard.active_) {
      guard_.active_ = false;
    }
    own_work(const own_work&) = delete;
    own_work& operator=(const own_work&) = delete;
    ~own_work() { guard_.active_ = former_; }

   private:
    body_guard& guard_;
    bool former_;
  };

 private:
  static int authorize(void* self, int action, const char* first, const char* second, const char* schema,
                       const char* trigger);
  static int progress(void* self);
  static void notice_end(void* self);
  static int refuse_commit(void* self);
  void reset_left_statements();

  connection& connection_;
  bool active_ = false;
  bool ended_ = false;  // the transaction of the body
  steady_clock::time_point until_;
};

}  // namespace weft::inline v1::jobs::sqlite
