#pragma once

#include <cstdint>

#include <weft/context/context.hpp>

namespace notes {

/// Who asks. Bound once for each request; what works for the request reads it, on whatever thread, and each
/// log record shows it.
inline constexpr weft::key_spec user_spec{.name = "notes.user", .log = true};
inline const weft::key<std::int64_t> user{user_spec};

}  // namespace notes
