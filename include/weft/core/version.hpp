#pragma once

#include <string_view>

// The version of these headers, as semantic versioning has it, for the preprocessor. CMake reads it here.
// While the major version is 0, versions of another minor version need not fit.
#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0

#define WEFT_DETAIL_TEXT_OF(x) #x
#define WEFT_DETAIL_TEXT(x) WEFT_DETAIL_TEXT_OF(x)

// All of weft is in the inline namespace weft::v1, that of its ABI: programs write weft::run, and symbols say
// weft::v1::run, so that objects made with headers whose ABI is another do not link. So names of weft cannot
// be declared by hand: include their header.
namespace weft::inline v1 {

/// The version of these headers as text, such as "0.1.0".
inline constexpr std::string_view version = WEFT_DETAIL_TEXT(WEFT_VERSION_MAJOR) "." WEFT_DETAIL_TEXT(
    WEFT_VERSION_MINOR) "." WEFT_DETAIL_TEXT(WEFT_VERSION_PATCH);

}  // namespace weft::inline v1
