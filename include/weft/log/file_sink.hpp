#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include <weft/log/format.hpp>

namespace weft::inline v1::log {

/// What a file sink writes to, and how.
struct file_sink_options {
  std::string path;
  log::level level = level::debug;              ///< records below are not written; see also set_level
  line_format format = line_format::automatic;  ///< logfmt, as a file is no terminal
  ::mode_t mode = 0640;                         ///< of a file that it makes
  std::size_t queue_records_max = 10'000;       ///< waiting to be written; more are dropped and counted
};

/// A line sink at the end of a file, which may be renamed and opened anew: `reopen()`, or, under
/// ops::run_service, SIGUSR1. No line is lost or cut by that.
class file_sink : public line_sink {
 public:
  /// Opens the file, made where there is none. Throws weft::error: as errno says.
  explicit file_sink(file_sink_options options);

  /// The sink's thread opens the path again before it writes its next line, and at once where it has
  /// nothing to write. Where that fails, the old file is used on, and a line in it says why.
  void reopen() noexcept override;

 private:
  class file;
  file_sink(std::shared_ptr<file> to, const file_sink_options& options);

  const std::shared_ptr<file> file_;
};

}  // namespace weft::inline v1::log
