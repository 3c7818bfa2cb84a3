#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/codec/value.hpp>

namespace weft::inline v1 {

namespace detail {

/// How the value of a secret is written: `write(out, value)`.
struct secret_value {
  const void* value;
  void (*write)(encoder& out, const void* value);
};

/// Writes secrets while it exists, on the thread that made it, instead of the refusal that is usual.
/// Between its making and its end nothing may wait.
class secret_writer {
 public:
  secret_writer() noexcept;
  secret_writer(const secret_writer&) = delete;
  secret_writer& operator=(const secret_writer&) = delete;
  virtual ~secret_writer();
  virtual void write(encoder& out, const secret_value& secret) = 0;

 private:
  secret_writer* outer_;
};

/// Hands the secret to the innermost secret_writer. Throws weft::error (refused) where there is none.
void write_secret(encoder& out, const secret_value& secret);

/// What decode throws for a secret that does not fit, without anything of what was read.
[[noreturn]] void throw_unfit_secret();

/// Zeroes the bytes, in a way that no compiler leaves out.
void wipe(void* data, std::size_t size) noexcept;

/// Text, bytes, a list of numbers.
template <typename T>
concept is_wipeable = requires(T& value) {
  wipe(value.data(), value.size());
  requires std::is_trivially_copyable_v<std::remove_reference_t<decltype(*value.data())>>;
};

}  // namespace detail

/// While it exists, what this thread encodes holds secrets in clear: for a form that is sent to whoever may
/// know them and is not kept. Nothing may wait meanwhile.
class secrets_in_clear final : public detail::secret_writer {
 public:
  void write(encoder& out, const detail::secret_value& secret) override { secret.write(out, secret.value); }
};

/// A value that must not be seen: a password, a token. Holds a T that only reveal() shows.
///
///     queue.push(closure{[](mailer& m, user_id who, secret<std::string> token) {
///       m.login(who, token.reveal());
///     }, id, token});
///
/// As an argument of a job it is encrypted at rest, and a queue without keys for that refuses the push; calls
/// of workers send it as it is, over their connection. Anything else that would write it down (JSON of a
/// struct with it, the result of a function) throws weft::error (refused); it can be read from any form. It
/// converts from what a T converts from, and into nothing; it cannot be compared or printed. Text, bytes and
/// plain values are zeroed at its end, as far as T left no copies elsewhere. Thread-safe as T.
template <typename T>
class secret {
 public:
  secret() = default;
  template <typename From>
    requires(std::is_convertible_v<From, T> && !std::is_same_v<std::remove_cvref_t<From>, secret>)
  secret(From&& from) : value_(std::forward<From>(from)) {}  // NOLINT: as if it were a T
  secret(const secret&) = default;
  secret(secret&&) noexcept(std::is_nothrow_move_constructible_v<T>) = default;
  secret& operator=(const secret&) = default;
  secret& operator=(secret&&) noexcept(std::is_nothrow_move_assignable_v<T>) = default;
  ~secret() {
    if constexpr (detail::is_wipeable<T>) {
      detail::wipe(value_.data(), value_.size() * sizeof(*value_.data()));
    } else if constexpr (std::is_trivially_copyable_v<T>) {
      detail::wipe(&value_, sizeof value_);
    }
  }

  const T& reveal() const noexcept { return value_; }

 private:
  T value_{};
};

template <encodable T>
struct codec<secret<T>> {
  static void encode(encoder& out, const secret<T>& value) {
    detail::write_secret(out, {&value.reveal(), [](encoder& to, const void* clear) {
                                 codec<T>::encode(to, *static_cast<const T*>(clear));
                               }});
  }
  static void decode(decoder& in, secret<T>& into) {
    // A message of the type's own may say what it found.
    bool fits = false;
    T value{};
    try {
      codec<T>::decode(in, value);
      fits = true;
    } catch (...) {  // said below
    }
    if (!fits) detail::throw_unfit_secret();
    into = secret<T>(std::move(value));
  }
  static void schema(schema_writer& out) {
    out.write("secret(");
    codec<T>::schema(out);
    out.write(")");
  }
};

}  // namespace weft::inline v1
