#include <weft/core/stack_trace.hpp>

#include <unwind.h>

namespace weft::inline v1 {
namespace {

struct collection {
  std::uintptr_t* next;
  std::uintptr_t* end;
  std::size_t skip;
};

_Unwind_Reason_Code collect(_Unwind_Context* frame, void* into_untyped) {
  auto& into = *static_cast<collection*>(into_untyped);
  int before_instruction =
      0;  // set for the frame that a signal interrupted: its address is no return address
  std::uintptr_t const address = _Unwind_GetIPInfo(frame, &before_instruction);
  if (address == 0) return _URC_END_OF_STACK;
  if (into.skip > 0) {
    --into.skip;
    return _URC_NO_REASON;
  }
  if (into.next == into.end) return _URC_END_OF_STACK;
  *into.next++ = address + (before_instruction != 0 ? 1 : 0);
  return _URC_NO_REASON;
}

}  // namespace

stack_trace stack_trace::current(std::size_t skip) noexcept {
  stack_trace trace;
  collection into{trace.addresses_.data(), trace.addresses_.data() + frames_max, skip + 1};
  _Unwind_Backtrace(&collect, &into);
  trace.size_ = static_cast<std::size_t>(into.next - trace.addresses_.data());
  return trace;
}

}  // namespace weft::inline v1
