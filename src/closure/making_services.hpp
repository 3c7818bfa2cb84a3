#pragma once

#include <functional>

#include "closure/services_state.hpp"

namespace weft::inline v1::detail {

/// The slot's object, made by `make`, which keeps its owner, unless it is there or another task is making it.
/// Throws what `make` throws, weft::error (misuse) for a circle, and weft::cancelled.
void* make_once(making_board& board, service_slot& slot, const std::function<std::shared_ptr<void>()>& make);

}  // namespace weft::inline v1::detail
