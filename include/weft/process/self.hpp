#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weft::inline v1::process {

/// The names of this process's threads, the calling one included; at least one.
std::vector<std::string> thread_names();

/// Their number. Costs a listing of /proc/self/task.
std::size_t thread_count();

/// Memory that a process has now; 0 where it is gone.
std::uint64_t resident_bytes(pid_t pid) noexcept;

/// Shows `title` in ps and top: in place of the arguments, as far as there is room for it, and as the
/// thread's name (15 characters). For the main thread of a process without other threads.
void set_title(std::string_view title) noexcept;

/// Closes all descriptors from 3 on except those in `keep`.
void close_descriptors_except(std::vector<int> keep) noexcept;

/// The open descriptors of this process, sorted.
std::vector<int> open_descriptors();

/// All signals get their default action, none is blocked.
void reset_signals() noexcept;

/// Has the kernel kill (SIGKILL) this process when its parent ends; ends it at once if the parent is
/// no longer `parent`. Tied to the *thread* of the parent that forked: for parents with one thread.
void die_with_parent(pid_t parent) noexcept;

/// Has the kernel kill (SIGKILL) this process, also a stopped or busy one, when the last writer of
/// the pipe behind `reader` is gone. False where the kernel cannot do that. The process keeps one
/// more descriptor open for it, whose number it returns through `watch`.
bool die_with_pipe(int reader, int& watch) noexcept;

/// Where memory runs out, the kernel ends this process before its parent.
void end_before_parent_without_memory() noexcept;

/// Identifies this build of the running program: the linker's build id in hex, or, without one, what
/// tells its file from another. The same in all processes of one program file. Never empty.
const std::string& build_id();

/// Path that starts this very program, also when its file was replaced since.
inline constexpr const char* own_program = "/proc/self/exe";

/// The arguments this process was started with.
std::vector<std::string> own_arguments();

}  // namespace weft::inline v1::process
