#include "fiber/uncaught.hpp"

#include <cstdio>

#include <weft/core/failure.hpp>

#include "fiber/scheduler.hpp"

namespace weft::detail {
namespace {

bool is_unwinding(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const unwinding&) {
    return true;
  } catch (...) {
    return false;
  }
}

void print(const uncaught_error& what) {
  const std::string text = failure::from(what.error).chain();
  std::fprintf(stderr, "weft: critical: fiber %llu%s%.*s ended with an error that nobody joins: %s\n",
               static_cast<unsigned long long>(what.fiber_id), what.name.empty() ? "" : " ",
               static_cast<int>(what.name.size()), what.name.data(), text.c_str());
}

}  // namespace

bool is_exit(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const exit_exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

void report_uncaught(const uncaught_error& what) noexcept {
  if (is_unwinding(what.error)) return;
  try {
    scheduler* const here = scheduler::current();
    if (here != nullptr && here->options().on_uncaught) {
      here->options().on_uncaught(what);
    } else {
      print(what);
    }
  } catch (...) {
    print(what);  // the handler failed; the error must not vanish with it
  }
}

}  // namespace weft::detail
