#pragma once

#include <cstdint>
#include <string>

#include <weft/core/task_block.hpp>

// Contracts of the locks that are checked in every build, and how a breach ends the program.

namespace weft::inline v1::detail {

/// `fiber 7 "reader"`, `thread 3`; for messages.
std::string describe(const task_block& task);

/// Prints `weft: <call>: <how>` and aborts. `call` is a literal such as "mutex::unlock".
[[noreturn]] void contract_broken(const char* call, const std::string& how) noexcept;

/// The two breaches that every lock with an owner knows; `held` says what it is, "a mutex".
[[noreturn]] void locked_again(const char* call, const char* held) noexcept;
/// `holder` is the block of the fiber that has it, null for a plain thread; `holder_id` 0: nobody has it.
[[noreturn]] void unlocked_by_stranger(const char* call, const char* held, const task_block* holder,
                                       std::uint64_t holder_id) noexcept;

/// A fiber ends with locks in its hands: keeps its name for the message of a later breach, because its
/// block goes. The last 64 are kept.
void note_ended_with_locks(const task_block& fiber) noexcept;

}  // namespace weft::inline v1::detail
