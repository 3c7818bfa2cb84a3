#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include <weft/closure/runner.hpp>

#include "workers/compat/message.hpp"
#include "workers/link.hpp"
#include "workers/pool.hpp"

namespace weft::workers::detail {

/// A call as it goes out.
struct outgoing_call {
  call_kind kind{};
  std::string_view target;
  std::string_view arguments;
  std::string_view context;  ///< context::to_wire
  run_link* link = nullptr;  ///< answers what the run objects ask; null: nobody does
};

/// Until when a call may last, waiting included.
struct call_bound {
  steady_time until = no_deadline;
  std::optional<std::chrono::nanoseconds> time;  ///< for messages

  static call_bound after(std::optional<std::chrono::nanoseconds> time) {
    return {time ? deadline_after(*time) : no_deadline, time};
  }
};

/// Takes a worker from the pool if `link` has none yet, and has it ready for a call. Where it throws `link`
/// is empty, except that a worker in use which does not speak natively, where that is needed, stays in use.
void prepare(pool& pool, std::unique_ptr<worker_link>& link, call_bound bound, bool needs_native);

/// Sends the call to the worker of `link`, which is ready and speaks natively, and
/// waits for the reply; its views point into `got`. Where it throws because the worker is gone or
/// stopped, `link` is empty. A worker that was asked to exit is gone, too.
reply_frame exchange(pool& pool, std::unique_ptr<worker_link>& link, const outgoing_call& call,
                     call_bound bound, wire::frame& got);

/// The same with a worker that speaks compatibly; `arguments` is a JSON list.
compat::reply exchange_compatibly(pool& pool, std::unique_ptr<worker_link>& link, std::string_view name,
                                  std::string_view arguments, call_bound bound);

/// The answer, or throws what the reply says instead.
bytes value_of(const reply_frame& reply);

}  // namespace weft::workers::detail
