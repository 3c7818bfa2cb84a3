#include <weft/context/frame.hpp>

#include <weft/core/error.hpp>

namespace weft::inline v1 {
namespace detail {

namespace {

constexpr std::size_t lines_max = 32;
constexpr std::size_t lines_kept = 16;

/// The trace of a frame, the innermost first; each shares those further out.
struct trace_node {
  frame_line line;
  std::shared_ptr<const trace_node> outer;
  std::size_t depth = 1;
  bool is_cut = false;  // there were more further out
};
using trace_pointer = std::shared_ptr<const trace_node>;

}  // namespace

/// A frame. It has no context: that of its callable has the frame.
struct frame_record {
  frame_record() = default;
  frame_record(const frame_record&) = delete;
  frame_record& operator=(const frame_record&) = delete;
  // A long chain ends in a loop, not by recursion.
  ~frame_record() {
    frame_pointer next = std::move(handlers);
    while (next != nullptr && next.use_count() == 1) next = frame_pointer(std::move(next->handlers));
  }

  frame_handler on_error;
  context outside;                 // where the handler runs: that of where the frame was made
  mutable frame_pointer handlers;  // the nearest frame further out that has a handler; constant until the end
  trace_pointer trace;
};

namespace {

const key<frame_pointer>& frame_key() {
  static constexpr key_spec spec{.name = "weft.frame"};
  static const key<frame_pointer> instance{spec};
  return instance;
}

/// The `left` innermost lines.
trace_pointer innermost(const trace_node& from, std::size_t left) {
  auto copy = std::make_shared<trace_node>(trace_node{.line = from.line, .outer = nullptr});
  if (left > 1 && from.outer != nullptr) {
    copy->outer = innermost(*from.outer, left - 1);
    copy->depth = copy->outer->depth + 1;
  } else {
    copy->is_cut = from.outer != nullptr || from.is_cut;
  }
  return copy;
}

trace_pointer longer(trace_pointer outer, frame_line line) {
  if (outer != nullptr && outer->depth >= lines_max) outer = innermost(*outer, lines_kept);
  const std::size_t depth = outer == nullptr ? 1 : outer->depth + 1;
  return std::make_shared<trace_node>(
      trace_node{.line = std::move(line), .outer = std::move(outer), .depth = depth});
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& problem) {
    return problem.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

std::string text_of(const trace_node* node) {
  std::string text;
  for (; node != nullptr; node = node->outer.get()) {
    const auto& [name, at] = node->line;
    text += std::string(at.file_name()) + ":" + std::to_string(at.line()) + " - " +
            (name.empty() ? "unnamed frame" : name) + "\n";
    if (node->is_cut) text += "(frames further out are left out)\n";
  }
  return text;
}

std::string trace_of(const std::exception_ptr& error, const frame_record& from) {
  std::string text = text_of(error);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text + "\n----- frames -----\n" + text_of(from.trace.get());
}

}  // namespace

const frame_pointer& current_frame() noexcept {
  static const frame_pointer none;
  const frame_pointer* const found = frame_key().find();
  return found == nullptr ? none : *found;
}

}  // namespace detail

frame_environment::frame_environment(frame_options options, std::source_location from) {
  if (options.existing_frame) {
    if (options.on_error || !options.locals.empty()) {
      throw error(
          errc::misuse,
          "frame: in an existing frame there is no new handler and no new local; make a frame of its own");
    }
    inside = options.existing_frame.inside_;
    record = options.existing_frame.record_;
    return;
  }
  const detail::frame_pointer& around = detail::current_frame();
  auto made = std::make_shared<detail::frame_record>();
  if (around != nullptr) made->handlers = around->on_error ? around : around->handlers;
  made->trace = detail::longer(around == nullptr ? nullptr : around->trace, {std::move(options.name), from});
  inside = context::capture();
  if (options.on_error) {
    made->on_error = std::move(options.on_error);
    made->outside = inside;
  }
  for (const auto* const local : options.locals) inside = local->bound_in(inside);
  record = std::move(made);
  inside = inside.with(detail::frame_key(), record);
}

void frame_environment::handle(std::exception_ptr error) const {
  const std::string trace = detail::trace_of(error, *record);
  for (const auto* at = record.get(); at != nullptr; at = at->handlers.get()) {
    if (!at->on_error) continue;
    try {
      at->outside.run([&] { at->on_error({.error = error, .trace = trace}); });
      return;
    } catch (const unwinding&) {
      throw;
    } catch (...) {
      error = std::current_exception();
    }
  }
  std::rethrow_exception(error);
}

std::string frame_trace() {
  const auto& frame = detail::current_frame();
  return frame == nullptr ? std::string() : detail::text_of(frame->trace.get());
}

}  // namespace weft::inline v1
