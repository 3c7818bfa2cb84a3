#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <weft/closure/registry.hpp>
#include <weft/core/failure.hpp>
#include <weft/log/record.hpp>

#include "workers/protocol.hpp"

// A frame has room for frame_extra_bytes beside an answer, and one that is longer ends the connection. What
// goes there has bounds, which together are less; what is over them is cut, with a note.

namespace weft::inline v1::workers::detail {

/// Of one text, and of all the texts of a failure.
inline constexpr std::size_t text_bytes_max = std::size_t{256} * 1024;
inline constexpr std::size_t failure_bytes_max = std::size_t{512} * 1024;
/// Of a value in a log.
inline constexpr std::size_t field_bytes_max = std::size_t{64} * 1024;
/// Of a name.
inline constexpr std::size_t name_bytes_max = 256;
/// Of the values and of the records of a log; further records are dropped and counted.
inline constexpr std::size_t data_bytes_max = std::size_t{512} * 1024;
inline constexpr std::size_t records_bytes_max = std::size_t{2} * 1024 * 1024;
/// Of the text of a note of progress.
inline constexpr std::size_t progress_bytes_max = std::size_t{64} * 1024;

/// The text; of a longer one the beginning, cut between characters, and "... (N bytes in all)" behind it.
std::string fit(std::string_view text, std::size_t bytes_max);

/// Cuts what is over its bounds.
void fit(weft::failure& one);
void fit(log::collection& one);
void fit(closure_refusal& one);
void fit(reply_frame& one);

}  // namespace weft::inline v1::workers::detail
