#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/key.hpp>
#include <weft/context/node.hpp>
#include <weft/core/error.hpp>

namespace weft {

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
  explicit key(const key_spec& spec) : record_(&detail::register_key(describe(spec))) {}
  key(const key&) = delete;
  key& operator=(const key&) = delete;

  /// The value in force in the running task; null if there is none.
  const Value* find() const noexcept {
    return static_cast<const Value*>(detail::find_value(detail::task_block::current().context, record_->id));
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
  std::uint32_t id() const noexcept { return record_->id; }

 private:
  static detail::key_record describe(const key_spec& spec) {
    detail::key_record record{.spec = spec};
    if constexpr (context_encodable<Value>) {
      record.to_text = [](const void* value) -> std::string {
        return context_codec<Value>::to_text(*static_cast<const Value*>(value));
      };
      record.from_text = [](const detail::key_record& self, detail::context_node* parent_ref,
                            std::string_view text) -> detail::context_node* {
        auto value = context_codec<Value>::from_text(text);
        if (!value) return nullptr;
        return new detail::value_node<Value>(parent_ref, self.id, std::move(*value));
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
  /// The running task's context. Never fails, never allocates.
  static context capture() noexcept { return context(detail::capture_current()); }

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
    return context(new detail::value_node<Value>(detail::retain(node_), of.id(), std::move(value)));
  }
  /// The same with that key absent.
  template <typename Value>
  context without(const key<Value>& of) const {
    return context(detail::make_absent(detail::retain(node_), of.id()));
  }
  /// The value bound here; null if there is none. Valid while this context lives.
  template <typename Value>
  const Value* find(const key<Value>& of) const noexcept {
    return static_cast<const Value*>(detail::find_value(node_, of.id()));
  }

  class attachment;
  /// Makes this the current context until the guard ends.
  [[nodiscard]] attachment attach() const noexcept;
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

/// Makes a context current for a scope and restores the former one. On one task only, LIFO.
class [[nodiscard]] context::attachment {
 public:
  explicit attachment(const context& now) noexcept
      : former_(detail::exchange_current(detail::retain(now.node_))) {}
  explicit attachment(context&& now) noexcept
      : former_(detail::exchange_current(std::exchange(now.node_, nullptr))) {}
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;
  ~attachment() { detail::release(detail::exchange_current(former_)); }

 private:
  detail::context_node* former_;  // the reference that the task held
};

inline context::attachment context::attach() const noexcept { return attachment(*this); }

template <typename Work>
decltype(auto) context::run(Work&& work) const {
  const attachment here(*this);
  return std::forward<Work>(work)();
}

/// Binds a key for the running task until the end of the scope. A callee cannot change its caller
/// with it, a child not its parent; it survives suspension. Throws std::bad_alloc before any change.
template <typename Value>
class [[nodiscard]] scoped_value {
 public:
  scoped_value(const key<Value>& of, std::type_identity_t<Value> value)
      : attached_(context::capture().with(of, std::move(value))) {}
  scoped_value(const scoped_value&) = delete;
  scoped_value& operator=(const scoped_value&) = delete;

 private:
  context::attachment attached_;
};

/// Runs `work` with `of` bound to `value`.
template <typename Value, typename Work>
decltype(auto) with(const key<Value>& of, std::type_identity_t<Value> value, Work&& work) {
  const scoped_value<Value> bound(of, std::move(value));
  return std::forward<Work>(work)();
}

/// A callable that runs `work` in the context of here and now, wherever it is called.
template <typename Work>
auto bind(Work&& work) {
  return [captured = context::capture(),
          held = std::forward<Work>(work)](auto&&... args) mutable -> decltype(auto) {
    return captured.run(
        [&]() -> decltype(auto) { return std::invoke(held, std::forward<decltype(args)>(args)...); });
  };
}

}  // namespace weft
