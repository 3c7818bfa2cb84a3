#pragma once

#include <functional>
#include <vector>

#include "jobs/request_line.hpp"

// How callers meet the writer thread: see request_line.hpp.

namespace weft::inline v1::jobs::sqlite {

/// What the writer applies together, in this order, within one transaction.
enum class request_kind : unsigned char {
  read,    ///< outside of the transaction, before it
  finish,  ///< ends of attempts, heartbeats
  push,    ///< pushes and the users' transactions
  claim,   ///< may be skipped by `idle`
};

struct request : parked_request {
  request_kind kind = request_kind::read;
  bool durable = false;  ///< the transaction waits for the disk
  bool once = false;     ///< runs code of the user, so it is never applied a second time
  /// On the writer thread; throws to undo itself. Where one of its turn fails all are applied a second time,
  /// so it has to begin anew with what it gives.
  std::function<void()> apply;
  std::function<bool()> idle;  ///< for claims: true if there is nothing to do, asked without the write lock
};

class turn_queue : public request_line<request> {
 public:
  /// As of the line, in the order of their kinds.
  void take(std::vector<request*>& taken);
};

}  // namespace weft::inline v1::jobs::sqlite
