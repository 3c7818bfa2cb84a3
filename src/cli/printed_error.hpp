#pragma once

#include <exception>
#include <string>

#include <weft/core/failure.hpp>

namespace weft::inline v1::cli {

/// An error as people read it, a line each: `WHAT: TYPE (CODE): MESSAGE`, its causes, and where it happened.
/// Control characters are escaped.
std::string error_text(const std::string& what, std::exception_ptr thrown);

/// The same as a JSON object: code, type, message, where, causes; and value, where the error is one.
std::string error_json(std::exception_ptr thrown);

/// The same of an error that came from elsewhere.
std::string failure_text(const failure& from);

}  // namespace weft::inline v1::cli
