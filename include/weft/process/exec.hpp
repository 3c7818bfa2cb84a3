#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <weft/process/exit_status.hpp>
#include <weft/process/program.hpp>

namespace weft::inline v1 {

/// What a program did.
struct exec_result {
  process::exit_status status = {};
  std::string out = {};  ///< its stdout, as far as that was a pipe
  std::string err = {};  ///< its stderr, unless that was merged into stdout or led elsewhere
  bool out_truncated = false;
  bool err_truncated = false;

  /// Exit status 0?
  bool ok() const noexcept { return status == process::exit_status::exited(0); }
};

/// How weft::exec runs a program.
struct exec_options {
  std::string input = {};  ///< written to its stdin, which then ends; what it does not read is dropped
  /// At most this much of stdout, and of stderr, is kept.
  std::size_t output_bytes_max = 16 * 1024 * 1024;
  /// Over that: drop the rest and say so in the result, instead of ending the program with an error.
  bool truncate_output = false;
  /// With truncate_output: keep the end of the output, where errors stand, and drop what came before.
  bool keep_end = false;
  /// How long it may run; then it is ended, and exec fails with timed_out.
  std::chrono::nanoseconds timeout = std::chrono::nanoseconds::max();
  /// Where exec throws after the program was started, gets what it had printed until then; outlives the call.
  exec_result* until_given_up = nullptr;
  /// The rest: directory, environment, limits, where its streams lead.
  process::program_options program = {};
};

/// Runs a program to its end and collects what it prints. The first argument is the program, found in
/// PATH; no shell has a part in it, but weft::process::shell("...") asks for one.
///
/// It is over when the program has ended: what it has printed until then is there, and what processes that
/// it left behind print later is not waited for. A status other than 0 is an ordinary result.
///
/// A fiber waits, a plain thread blocks; any thread, any number at once (each needs about four
/// descriptors). A cancellation point. Where it is cancelled, timed out, or over the output's bound, the
/// program and all of its process group get SIGTERM and, after program_options::grace, SIGKILL; it is
/// reaped, the pipes are closed, and then the error is thrown: cancelled, timed_out, too_large. Throws also
/// what process::program throws when it cannot be started.
exec_result exec(std::vector<std::string> arguments, exec_options options = {});

}  // namespace weft::inline v1
