#pragma once

#include <span>
#include <string>

#include <weft/wire/key_ring.hpp>
#include <weft/wire/secret_bytes.hpp>

namespace weft::inline v1::wire {

/// The text of a file with these, as key_file::parse reads it.
secret_bytes key_text(std::span<const key> keys, std::span<const retired_key> retired,
                      std::span<const std::string> comments);

}  // namespace weft::inline v1::wire
