#pragma once

#include <cstddef>
#include <functional>
#include <map>

/// The system calls, by number, that the main thread of a child process makes in `work` between two calls of
/// counted_calls_mark(). The child does not survive: `work` runs in it, and it ends afterwards. Empty where
/// the child failed. Sanitizers make calls of their own.
std::map<long, std::size_t> counted_calls(const std::function<void()>& work);

void counted_calls_mark();
