#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/http/header.hpp>
#include <weft/http/response.hpp>

#include "http/compression/zlib_stream.hpp"

namespace weft::inline v1::http::detail {

/// The format of a content coding: gzip, x-gzip or deflate. Nothing for another one, or a list of more than
/// one.
std::optional<deflate_format> format_of(std::string_view content_encoding) noexcept;

/// Which of ours an Accept-Encoding wants most; nothing where it wants none. Elements that are malformed are
/// left out.
std::optional<deflate_format> wanted_format(std::string_view accept_encoding) noexcept;

/// Is `coding` named in an Accept-Encoding, and not with q=0? What "*" lets in is not named.
bool names_coding(std::string_view accept_encoding, std::string_view coding) noexcept;

/// The name of gzip or zlib as a content coding.
std::string_view name_of(deflate_format format) noexcept;

/// The one content coding that is to be undone; empty where there is none, nothing where it is not known
/// here, or where there is more than one.
std::optional<std::string_view> coding_of(std::span<const header> fields) noexcept;

/// What a body becomes. Gives way to other fibers between pieces of a long one.
std::string packed(std::string_view body, deflate_format format, int level);

/// Caches keep the answer apart for each Accept-Encoding, also one that was not encoded.
void say_that_it_varies(response& of);

}  // namespace weft::inline v1::http::detail
