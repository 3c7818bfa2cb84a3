#pragma once

#include <functional>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/link/store_thread.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::inline v1::jobs::postgres {

/// Runs the body of a user's transaction: on the caller's own task, in a no_wait_scope, its statements on a
/// connection of `bodies` that nobody else has meanwhile. `by` is for what the body's pushes need and must
/// not keep locked: the names of queues and closures, rows of limits.
void run_body(store_thread& on, caller bodies, caller& by, names& known,
              const std::function<void(store_transaction&)>& body, const transaction_options& options);

}  // namespace weft::inline v1::jobs::postgres
