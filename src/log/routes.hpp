#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <weft/log/level.hpp>
#include <weft/log/record.hpp>

// Between those who write records and those who take them.

namespace weft::inline v1::log::detail {

/// Below this level nobody takes a record: neither a collector nor the sinks.
bool might_be_taken(level of) noexcept;
/// A collector of that level came or went.
void count_collector(level of, int change) noexcept;
/// A record was lost for want of memory.
void count_lost() noexcept;
/// A line sink dropped so many.
void count_dropped(std::uint64_t records) noexcept;
/// Hands the record to the sinks whose level it has.
void to_sinks(const std::shared_ptr<const record>& one) noexcept;

/// What the context sources add for the running task.
void ask_context_sources(std::vector<context_field>& into);

/// Grows by one in a forked child: what was made under another number belongs to the parent.
std::uint64_t fork_generation() noexcept;
/// The program's exit began: no thread is started any more.
bool is_exiting() noexcept;

}  // namespace weft::inline v1::log::detail
