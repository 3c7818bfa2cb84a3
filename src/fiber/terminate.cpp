#include "fiber/terminate.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber_block.hpp>

namespace weft::inline v1::detail {
namespace {

std::mutex guard;
std::size_t watches = 0;                  // guarded by guard
std::terminate_handler former = nullptr;  // guarded by guard; constant while there are watches

/// What ended it, in words; with the remedy where there is one.
std::string cause() {
  const std::exception_ptr thrown = std::current_exception();
  if (thrown == nullptr) return "std::terminate was called";
  try {
    std::rethrow_exception(thrown);
  } catch (const cancelled& stop) {
    return std::string("a wait in a noexcept function or a destructor was ") + stop.what() +
           "; wait there inside weft::shield";
  } catch (const unwinding& stop) {
    return std::string("left a noexcept function or a destructor: ") + stop.what();
  } catch (const std::exception& error) {
    return std::string("an exception left a noexcept function or a destructor: ") + error.what();
  } catch (...) {
    return "an exception of an unknown type left a noexcept function or a destructor";
  }
}

void say_where() noexcept {
  const task_block* const task = task_block::current_or_null();
  if (task == nullptr || !task->is_fiber()) return;
  const auto& fiber = static_cast<const fiber_block&>(*task);
  try {
    const std::string text = "weft: the process ends in fiber " + std::to_string(fiber.id()) + " \"" +
                             std::string(fiber.name()) + "\", made by fiber " +
                             std::to_string(fiber.parent_id()) + ": " + cause() + '\n';
    std::fputs(text.c_str(), stderr);
  } catch (...) {
    std::fputs("weft: the process ends in a fiber; there is no memory to say more\n", stderr);
  }
}

[[noreturn]] void on_terminate() {
  say_where();
  if (former != nullptr) former();
  std::abort();
}

}  // namespace

terminate_watch::terminate_watch() {
  const std::lock_guard lock(guard);
  if (watches++ == 0) former = std::set_terminate(&on_terminate);
}

terminate_watch::~terminate_watch() {
  const std::lock_guard lock(guard);
  if (--watches == 0 && std::get_terminate() == &on_terminate) std::set_terminate(former);
}

}  // namespace weft::inline v1::detail
