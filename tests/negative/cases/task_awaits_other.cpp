// error: a weft::task can co_await a weft::future, a weft::task and weft::waiting(f)
#include <coroutine>

#include <weft/executor/task.hpp>

weft::task<> bad() { co_await std::suspend_always(); }
