#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1::cli {

/// A line of a log file, without its end, and where it is: "app.log:7".
struct input_line {
  std::string_view text;
  const std::string& file;
  std::size_t number = 0;
};

/// Gets each line. False: no more is wanted.
using line_reader = std::function<bool(const input_line& line)>;

/// Reads the lines of a file; "-" is stdin. Names that end in .gz and .bz2 are read through zcat and bzcat. A
/// last line may lack its end. Gives false where the reader wanted no more. Throws weft::error that names the
/// file: not_found, io_error, too_large for a line of more than line_bytes_max.
bool read_lines(const std::string& file, const line_reader& reader);

/// The same for files that grow: after the last line it waits for more, also where a file is cut off or
/// another one takes its name. Ends when the reader wants no more.
void follow_lines(const std::vector<std::string>& files, const line_reader& reader);

inline constexpr std::size_t line_bytes_max = std::size_t{16} * 1024 * 1024;

}  // namespace weft::inline v1::cli
