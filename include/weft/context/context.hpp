#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/key.hpp>
#include <weft/context/node.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1 {

/// `require()` on a key that has no value here.
class missing_context_key : public error {
 public:
  explicit missing_context_key(std::string_view name);
};

/// A typed name for a value that follows the work: through calls, into fibers, pools, worker
/// processes and jobs, as far as its spec allows.
///
/// A key has static storage and is declared once:
///     inline constexpr weft::key_spec user_spec{.name = "app.user_id", .wire = weft::wire_policy::job};
///     inline const weft::key<std::int64_t> user{user_spec};
/// Reading never allocates; a pointer from find() is valid until the frame that was current ends.
/// Thread-safe. A key that travels needs a context_codec for its type, which the compiler checks.
template <typename Value>
class key {
 public:
  /// Is told when the value in force on a thread becomes another one: `old` and `now` are null where there is
  /// none. Called at once, on that thread; must not change the context.
  using observer = void (*)(const Value* old, const Value* now, context_change why) noexcept;

  explicit key(const key_spec& spec) : record_(&detail::register_key(describe(spec))) {}
  /// The observer is fixed with the key. Two values are the same if they are equal, where Value has ==.
  key(const key_spec& spec, observer on_change)
      : record_(&detail::register_key(observed(describe(spec), on_change))) {}
  key(const key&) = delete;
  key& operator=(const key&) = delete;

  /// The value in force in the running task; null if there is none.
  const Value* find() const noexcept {
    return static_cast<const Value*>(detail::find_value(detail::task_block::current().context, *record_));
  }
  /// The value in force, or `fallback`.
  Value value_or(Value fallback) const {
    const Value* const found = find();
    return found == nullptr ? std::move(fallback) : *found;
  }
  /// The value in force; throws missing_context_key where there is none.
  const Value& require() const {
    const Value* const found = find();
    if (found == nullptr) throw missing_context_key(name());
    return *found;
  }

  std::string_view name() const noexcept { return record_->spec.name; }

  /// For weft's own use.
  const detail::key_record& record() const noexcept { return *record_; }

 private:
  static detail::key_record observed(detail::key_record record, observer on_change) {
    record.observer = reinterpret_cast<void (*)()>(on_change);
    record.notify = [](void (*typed)(), const void* old, const void* now, context_change why) noexcept {
      reinterpret_cast<observer>(typed)(static_cast<const Value*>(old), static_cast<const Value*>(now), why);
    };
    if constexpr (std::equality_comparable<Value>) {
      record.are_equal = [](const void* one, const void* other) {
        return *static_cast<const Value*>(one) == *static_cast<const Value*>(other);
      };
    }
    return record;
  }

  static detail::key_record describe(const key_spec& spec) {
    detail::key_record record{.spec = spec};
    if constexpr (context_encodable<Value>) {
      record.to_text = [](const void* value) -> std::string {
        return context_codec<Value>::to_text(*static_cast<const Value*>(value));
      };
      record.from_text = [](const detail::key_record& self, std::string_view text) -> detail::context_node* {
        auto value = context_codec<Value>::from_text(text);
        return value ? detail::make_binding<Value>(self, std::move(*value)) : nullptr;
      };
    }
    return record;
  }

  const detail::key_record* record_;
};

/// An immutable set of bindings, with the deadline and the cancellation that belong to it: what a
/// piece of work takes along. One pointer; cheap to copy; may be kept and used on any thread.
class context {
 public:
  /// The root: no bindings, no deadline, nothing that cancels.
  context() noexcept = default;
  /// What work that is started here and now takes along: the running task's context, but for keys that do not
  /// leave their task; where suppress_flow is in force, the sticky keys only. Never fails, never allocates.
  static context capture() noexcept { return context(detail::capture_current()); }
  /// The running task's context as the task itself sees it. Never fails, never allocates.
  static context current() noexcept { return context(detail::retain_current()); }

  context(const context& other) noexcept : node_(detail::retain(other.node_)) {}
  context(context&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  context& operator=(context other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~context() { detail::release(node_); }

  /// The same with one more binding.
  template <typename Value>
  context with(const key<Value>& of, std::type_identity_t<Value> value) const {
    return context(detail::extend(node_, detail::make_binding<Value>(of.record(), std::move(value))));
  }
  /// The same with that key absent.
  template <typename Value>
  context without(const key<Value>& of) const {
    return context(detail::extend(node_, detail::make_absent(of.record())));
  }
  /// The value bound here; null if there is none. Valid while this context lives.
  template <typename Value>
  const Value* find(const key<Value>& of) const noexcept {
    return static_cast<const Value*>(detail::find_value(node_, of.record()));
  }

  class attachment;
  /// Makes this the current context until the guard ends.
  [[nodiscard]] attachment attach(std::source_location from = std::source_location::current()) const noexcept;
  /// Runs `work` in this context.
  template <typename Work>
  decltype(auto) run(Work&& work) const;

  /// The part that may travel by `hop` (worker or job), as bytes: equal contexts give equal bytes.
  /// At most 64 entries and 8192 bytes; what does not fit is left out and counted.
  std::string to_wire(wire_policy hop) const;
  /// A context of those bytes. Names unknown here are kept and handed on; a value that cannot be
  /// read leaves its key absent. Throws weft::error (malformed) if the bytes are no such frame.
  static context from_wire(std::string_view bytes);

  /// A binding as text; a redacted one reads ***.
  struct entry {
    std::string name;
    std::string text;
  };
  /// The bindings in force whose keys are marked for logs, sorted by name.
  std::vector<entry> log_entries() const;

  /// For weft's own use: hands out the node; the context stays owner.
  detail::context_node* node() const noexcept { return node_; }
  /// For weft's own use: takes over one reference.
  static context from_node(detail::context_node* node_ref) noexcept { return context(node_ref); }
  /// For weft's own use: hands out the reference; root afterwards.
  detail::context_node* release_node() noexcept { return std::exchange(node_, nullptr); }

 private:
  explicit context(detail::context_node* node_ref) noexcept : node_(node_ref) {}
  detail::context_node* node_ = nullptr;
};

/// What many pieces of work that are started here and now take along: as context::capture() for each, with
/// one atomic addition for all. Never fails, never allocates. Of one thread.
class batch_capture {
 public:
  explicit batch_capture(std::uint32_t count) noexcept : left_(count) {
    if (count == 0) return;
    detail::context_node* const node = detail::outward(detail::task_block::current().context);
    if (node != nullptr) node->refs.fetch_add(count, std::memory_order_relaxed);
    node_ = node;
  }
  batch_capture(const batch_capture&) = delete;
  batch_capture& operator=(const batch_capture&) = delete;
  ~batch_capture() {
    if (left_ == 0 || node_ == nullptr) return;
    node_->refs.fetch_sub(left_ - 1, std::memory_order_release);
    detail::release(node_);
  }

  /// One of them. Not more often than that many times.
  context take() noexcept {
    --left_;
    return context::from_node(node_);
  }

 private:
  detail::context_node* node_ = nullptr;  // as many references are owned as are left
  std::uint32_t left_;
};

/// Makes a context current for a scope and restores the former one.
///
/// As all scopes that change the context it ends on the task that made it, last in, first out. A scope that
/// does not ends the program where weft was built without NDEBUG, naming both; else what was before the
/// outermost wrong one is restored and context_statistics() counts it. A scope that ends on another task, as
/// in a coroutine that goes on elsewhere, leaves that task alone.
class [[nodiscard]] context::attachment {
 public:
  /// `kind` is for weft's own use.
  explicit attachment(const context& now, std::source_location from = std::source_location::current(),
                      detail::scope_kind kind = detail::scope_kind::other_work) noexcept
      : scope_(detail::context_scope::whole{}, detail::retain(now.node_), from, kind) {}
  explicit attachment(context&& now, std::source_location from = std::source_location::current(),
                      detail::scope_kind kind = detail::scope_kind::other_work) noexcept
      : scope_(detail::context_scope::whole{}, std::exchange(now.node_, nullptr), from, kind) {}

 private:
  detail::context_scope scope_;
};

inline context::attachment context::attach(std::source_location from) const noexcept {
  return attachment(*this, from);
}

template <typename Work>
decltype(auto) context::run(Work&& work) const {
  const attachment here(*this);
  return std::forward<Work>(work)();
}

/// Binds a key for the running task until the end of the scope. A callee cannot change its caller
/// with it, a child not its parent; it survives suspension. Ends as context::attachment does. Throws
/// std::bad_alloc before any change.
template <typename Value>
class [[nodiscard]] scoped_value {
 public:
  scoped_value(const key<Value>& of, std::type_identity_t<Value> value,
               std::source_location from = std::source_location::current())
      : scope_(detail::make_binding<Value>(of.record(), std::move(value)), from) {}

 private:
  detail::context_scope scope_;
};

/// Makes a key absent for the running task until the end of the scope; otherwise as scoped_value.
class [[nodiscard]] scoped_absent {
 public:
  template <typename Value>
  explicit scoped_absent(const key<Value>& of, std::source_location from = std::source_location::current())
      : scope_(detail::make_absent(of.record()), from) {}

 private:
  detail::context_scope scope_;
};

/// Binds a key until the innermost scope around this call ends, or context::run, or the task: a callee's
/// assign() is seen by its caller. For middleware that has no scope of its own; use scoped_value where there
/// is one. Values that find() gave for this key before are gone. Throws std::bad_alloc before any change.
template <typename Value>
void assign(const key<Value>& of, std::type_identity_t<Value> value) {
  detail::assign_binding(detail::make_binding<Value>(of.record(), std::move(value)));
}

/// What work started in its scope takes along.
enum class suppressed : unsigned char {
  all_but_sticky,  ///< it inherits the sticky keys, as that of the trace, and nothing else
  all,             ///< it inherits nothing
};

/// What is started in this scope, by the running task and by what it calls, inherits nothing of its context,
/// no deadline and no cancellation, but the sticky keys. What the task itself reads stays. Ends as
/// context::attachment does. Throws std::bad_alloc before any change.
class [[nodiscard]] suppress_flow {
 public:
  explicit suppress_flow(suppressed what = suppressed::all_but_sticky,
                         std::source_location from = std::source_location::current())
      : scope_(detail::context_scope::whole{}, detail::suppressed_current(what == suppressed::all), from,
               detail::scope_kind::same_work) {}

 private:
  detail::context_scope scope_;
};

/// Runs `work` with `of` bound to `value`.
template <typename Value, typename Work>
decltype(auto) with(const key<Value>& of, std::type_identity_t<Value> value, Work&& work) {
  const scoped_value<Value> bound(of, std::move(value));
  return std::forward<Work>(work)();
}

namespace detail {

/// Calls `work` in the context `inside`.
template <typename Work, typename... Args>
decltype(auto) call_in(const context& inside, scope_kind kind, Work&& work, Args&&... args) {
  const context::attachment here(inside, std::source_location::current(), kind);
  return std::invoke(std::forward<Work>(work), std::forward<Args>(args)...);
}

}  // namespace detail

/// A callable that runs `work` in the context of here and now, wherever it is called: what is subscribed to
/// the events of others. The context of whoever calls it is cause() inside.
template <typename Work>
auto bind(Work&& work) {
  return [captured = context::capture(),
          held = std::forward<Work>(work)](auto&&... args) mutable -> decltype(auto) {
    return detail::call_in(captured, detail::scope_kind::callback, held,
                           std::forward<decltype(args)>(args)...);
  };
}

/// In a callback, the context of whoever called it: what he would pass on. Root outside of one.
///
/// Callbacks are what bind() and frame() make, a barrier's completion function, what promise::on_cancel
/// takes. Each runs in the context of where it was subscribed; this is the other one, to read a value of it,
/// to link a span to it, or to keep it. It belongs to the call: what the callback starts has no cause, nor
/// has what runs in another context, by context::run or attach. Never fails, never allocates; unasked it
/// costs nothing.
inline context cause() noexcept { return context::from_node(detail::capture_cause()); }

/// Counters since the start of the process.
struct context_statistics {
  std::uint64_t scopes_misnested;        ///< scopes that did not end last in, first out, on their task
  std::uint64_t wire_entries_dropped;    ///< values that did not fit a hop to another process
  std::uint64_t wire_values_unreadable;  ///< values of another process that could not be read
};
/// Any thread.
context_statistics get_context_statistics() noexcept;

}  // namespace weft::inline v1
