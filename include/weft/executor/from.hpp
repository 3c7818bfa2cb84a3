#pragma once

/// A weft::future of a std::future. Neither <weft/executor/futures.hpp> nor <weft/weft.hpp> has it: <future>
/// takes long to compile.

#include <future>
#include <utility>

#include <weft/executor/blocking.hpp>
#include <weft/executor/future.hpp>

namespace weft::inline v1 {

/// The outcome of a std::future. A thread of the pool behind blocking() waits for it, because nothing else
/// can. The wait cannot be cut short.
template <typename Value>
future<Value> from(std::future<Value> foreign) {
  return start_blocking([foreign = std::move(foreign)]() mutable -> Value { return foreign.get(); });
}

}  // namespace weft::inline v1
