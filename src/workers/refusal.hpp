#pragma once

#include <string_view>

#include "workers/unserved_client.hpp"

namespace weft::inline v1::workers::detail {

/// Tells a client that has spoken, and gets no worker, why, in the protocol it speaks. Never waits.
void refuse(const unserved_client& client, std::string_view why);

}  // namespace weft::inline v1::workers::detail
