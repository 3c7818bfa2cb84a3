#pragma once

/// Futures with all that makes futures of futures.

#include <weft/executor/async.hpp>          // IWYU pragma: export
#include <weft/executor/find_error.hpp>     // IWYU pragma: export
#include <weft/executor/from_callback.hpp>  // IWYU pragma: export
#include <weft/executor/future.hpp>         // IWYU pragma: export
#include <weft/executor/or_else.hpp>        // IWYU pragma: export
#include <weft/executor/repeat.hpp>         // IWYU pragma: export
#include <weft/executor/retry.hpp>          // IWYU pragma: export
#include <weft/executor/shared_future.hpp>  // IWYU pragma: export
#include <weft/executor/then.hpp>           // IWYU pragma: export
#include <weft/executor/timing.hpp>         // IWYU pragma: export
#include <weft/executor/when_all.hpp>       // IWYU pragma: export
#include <weft/executor/when_any.hpp>       // IWYU pragma: export

namespace weft::inline v1 {

/// Waits for the outcome; gives the value or throws.
template <typename Value>
Value await(future<Value> of) {
  return of.get();
}

}  // namespace weft::inline v1
