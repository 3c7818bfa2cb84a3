#pragma once

#include <string_view>

#include "workers/call_bound.hpp"
#include "workers/compat/message.hpp"
#include "workers/link.hpp"
#include "workers/pool.hpp"

namespace weft::inline v1::workers::detail {

/// Sends the call to a worker that is ready and speaks compatibly, and waits for the reply; `arguments` is a
/// JSON list. One at a time. Where it throws because of the worker, the link is `over`.
compat::reply exchange_compatibly(pool& pool, worker_link& link, std::string_view name,
                                  std::string_view arguments, call_bound bound);

}  // namespace weft::inline v1::workers::detail
