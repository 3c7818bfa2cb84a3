#pragma once

#include <weft/core/failure.hpp>
#include <weft/log/record.hpp>

#include "workers/bytes.hpp"

// Errors and logs as bytes of a frame.

namespace weft::inline v1::workers::detail {

void write(byte_writer& out, const weft::failure& from);
void write(byte_writer& out, const log::collection& from);

weft::failure read_failure(byte_reader& in, int depth = 0);
log::collection read_log(byte_reader& in);

}  // namespace weft::inline v1::workers::detail
