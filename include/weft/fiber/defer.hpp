#pragma once

#include <utility>

#include <weft/core/unique_function.hpp>

namespace weft::inline v1 {

namespace detail {
void defer_call(unique_function<void()> call);
}

/// Has `function` called when the running fiber ends: after its function has returned or thrown,
/// also where it was cancelled; the last one registered first. For what belongs to the end of a scope,
/// use a destructor; this is for the end of the fiber, from any depth.
///
/// It runs on the fiber, in the context of where it was registered, shielded: it may wait and is not
/// cancelled. It may defer further calls, which run next. What it captures by reference must live
/// until the fiber ends, so nothing of the frame that registers it, unless that is the fiber's own
/// outermost caller. The fiber counts as done, and its scope goes on, only afterwards.
/// An error that it throws goes to the uncaught handler, and the others run all the same; the
/// fiber's own result stays as it was. weft::exit ends the run.
/// Throws weft::error (misuse) on a plain thread, std::bad_alloc; nothing is registered then.
template <typename Function>
void defer(Function&& function) {
  detail::defer_call(std::forward<Function>(function));
}

}  // namespace weft::inline v1
