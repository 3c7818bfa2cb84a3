#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/codec/describe.hpp>
#include <weft/core/error.hpp>

// Programs as jobs: `weft jobs push --exec` and `weft work` use these, and any program may.

namespace weft::inline v1::jobs {

/// A program to run, without a shell. All text is UTF-8. It is signed with the job but not encrypted: who can
/// read the database can read it, so secrets belong into the worker's files.
struct command {
  std::vector<std::string> arguments;    ///< the first one names the program, found in the worker's PATH
  std::string directory;                 ///< where it works; empty: where the worker does
  std::vector<std::string> environment;  ///< "NAME=value", beside what the worker passes on
};
WEFT_DESCRIBE(command, arguments, directory, environment);
WEFT_MISSING_IS_DEFAULT(command);

/// What a program printed: the end of it, where it was more than command_options::output_bytes_max. Bytes
/// that are not UTF-8 have become U+FFFD.
struct command_output {
  std::string out;
  std::string err;
  bool out_cut = false;
  bool err_cut = false;
};
WEFT_DESCRIBE(command_output, out, err, out_cut, err_cut);

/// The program ended with another status than 0, or by a signal. The message has the end of its stderr.
class command_failed : public error {
 public:
  explicit command_failed(std::string message) : error(errc::unknown, std::move(message)) {}
};

/// Of each of stdout and stderr at most so much is kept with a job.
inline constexpr std::size_t command_output_bytes_max = 64 * 1024;

/// How a worker runs commands.
struct command_options {
  std::size_t output_bytes_max = command_output_bytes_max;  ///< more than that is taken as that
  /// Variables of the worker that programs get, beside WEFT_JOB_ID, WEFT_JOB_ATTEMPT and the trace.
  std::vector<std::string> pass = {"PATH", "HOME",   "USER",     "LOGNAME", "SHELL",
                                   "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR",  "TZ"};
  /// Between SIGTERM and SIGKILL, where one has to be ended.
  std::chrono::milliseconds grace = std::chrono::seconds(2);
  /// Kill them with this process, even by kill -9. For workers whose run has one thread.
  bool die_with_thread = false;
};

/// Lets workers with services of `app` run commands of jobs. Who can sign jobs for them can then run any
/// program as their user. Workers without it put such jobs back. Again it throws weft::error
/// (already_exists).
void allow_commands(services& app, command_options options = {});

/// The closure "weft.exec", to be pushed. An attempt is done when the program ends with status 0, and its
/// result is what that printed; else it failed with command_failed, or as weft::exec does. At its timeout,
/// cancelled, or with a worker that stops, the program and its process group are ended; the attempt's log has
/// what it had printed, and at its timeout the error the end of its stderr. Throws weft::error
/// (invalid_argument) without arguments, and where text is not UTF-8 or has a zero byte.
closure<command_output> run_command(command what);

}  // namespace weft::inline v1::jobs
