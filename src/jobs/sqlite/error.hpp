#pragma once

#include <string>
#include <string_view>

#include <weft/core/error.hpp>

struct sqlite3;

namespace weft::inline v1::jobs::sqlite {

/// The weft code of an SQLite result code. `no_room` tells a full disk from other I/O errors.
errc code_of(int extended_code, bool no_room) noexcept;

/// What happened on `handle` (may be null), as "tried: why": throws weft::error.
[[noreturn]] void throw_error(sqlite3* handle, int code, std::string_view tried);

}  // namespace weft::inline v1::jobs::sqlite
