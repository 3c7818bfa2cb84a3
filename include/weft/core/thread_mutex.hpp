#pragma once

#include <mutex>

#include <weft/core/atomic.hpp>

namespace weft::inline v1::detail {

/// The mutex of weft's own threads, for what takes longer than a spin_lock may be held: allocating, starting
/// threads. std::mutex; where protocols are explored (see atomic), one that the explorer knows of.
#ifdef WEFT_EXPLORE
class explored_mutex;  // tests/interleaving/explored_mutex.hpp
using thread_mutex = explored_mutex;
#else
using thread_mutex = std::mutex;
#endif

}  // namespace weft::inline v1::detail
