#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/http/client.hpp>

namespace weft::inline v1::http::detail {

struct proxy;

/// The head of a client's request; `by` is a proxy that gets it, null for none; without `body_bytes` the body
/// comes in chunks. With `takes_compressed` the answer may be in gzip or deflate. Throws weft::error
/// (invalid_argument) for what would break the message.
std::string make_request_head(std::string_view method, std::string_view target, std::string_view host,
                              std::optional<std::size_t> body_bytes, const request_options& options,
                              const proxy* by = nullptr, bool takes_compressed = false);

/// The trailers that the options give, as "Name: value\r\n" each. Throws what they throw, and weft::error
/// (invalid_argument) for what may be none.
std::string make_trailers(const request_options& options);

}  // namespace weft::inline v1::http::detail
