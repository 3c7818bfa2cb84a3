#pragma once

#include <weft/context/property_map.hpp>

namespace weft::inline v1 {

/// The running fiber's own properties, by names known only at run time; null outside a fiber. Not inherited,
/// unlike weft::properties(). They end after what the fiber deferred, with its fiber_local values.
property_map* fiber_properties();

}  // namespace weft::inline v1
