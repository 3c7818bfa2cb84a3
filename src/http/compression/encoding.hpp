#pragma once

#include <optional>
#include <string_view>

#include <weft/http/response.hpp>

#include "http/compression/zlib_stream.hpp"

namespace weft::http::detail {

/// The format of a content coding: gzip, x-gzip or deflate. Nothing for another one, or a list of more than
/// one.
std::optional<deflate_format> format_of(std::string_view content_encoding) noexcept;

/// Which of ours an Accept-Encoding wants most; nothing where it wants none. Elements that are malformed are
/// left out.
std::optional<deflate_format> wanted_format(std::string_view accept_encoding) noexcept;

/// The name of gzip or zlib as a content coding.
std::string_view name_of(deflate_format format) noexcept;

/// Caches keep the answer apart for each Accept-Encoding, also one that was not encoded.
void say_that_it_varies(response& of);

}  // namespace weft::http::detail
