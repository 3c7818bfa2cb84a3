#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/codec/secret.hpp>
#include <weft/config/units.hpp>

// The settings of a program: a described struct, filled from a TOML file, the environment and flags.
//
//     struct worker_settings { std::size_t concurrency = 10; std::chrono::milliseconds poll_interval{1000};
//     }; WEFT_DESCRIBE(worker_settings, concurrency, poll_interval) struct settings { std::string db =
//     "sqlite:shop.db"; weft::secret<std::string> token; worker_settings worker; }; WEFT_DESCRIBE(settings,
//     db, token, worker)
//
//     auto loaded = weft::config::load<settings>({.file = "/etc/shop.toml", .environment_prefix = "SHOP_"});
//     loaded.values.worker.poll_interval
//
// The setting `worker.poll_interval` is `poll_interval = "5s"` below `[worker]` in the file,
// SHOP_WORKER_POLL_INTERVAL in the environment. What is not said keeps the default of the struct.
// A setting may be a bool, number, text, span of time ("30s"), byte_size ("64MiB"), described enumeration,
// std::optional or std::vector of those, a secret text, or a described struct of settings.
// Secrets are never written out in the file, the environment or a flag: `token_file` (SHOP_TOKEN_FILE) names
// a file that has it, or systemd's LoadCredential=token gives it.

namespace weft::inline v1::config {

/// Who said what a setting is. The later ones win.
enum class origin_kind { built_in, file, environment, credential, flag };

struct origin {
  origin_kind kind = origin_kind::built_in;
  std::string where;  ///< "/etc/shop.toml:12", "SHOP_DB", "--db"; empty for built_in
};
/// "built in", "/etc/shop.toml:12", "$SHOP_DB", "--db".
std::string to_string(const origin& from);

/// A setting as it is now.
struct setting {
  std::string name;   ///< "worker.poll_interval"
  std::string value;  ///< as it could be written in the file; of a secret "(set)" or "(not set)"
  origin from;
};

/// One that the command line gave, "worker.poll_interval" to be "5s".
struct flag {
  std::string name;
  std::string value;
  std::string as;  ///< how the user wrote it, for messages: "--poll-interval"
};

struct sources {
  std::string file = {};  ///< TOML; empty: none
  bool file_may_be_missing = false;
  std::string environment_prefix = {};  ///< "SHOP_"; empty: the environment is not read
  std::vector<flag> flags = {};
  std::vector<std::string> required = {};  ///< settings that somebody has to say: no default will do
  /// Instead of the process's own environment, which no other thread may change meanwhile.
  const std::map<std::string, std::string>* environment = nullptr;
};

template <typename Settings>
struct loaded {
  Settings values;
  std::vector<setting> settings;   ///< all of them, in the order of the struct
  std::vector<std::string> notes;  ///< variables with the prefix that are no setting, and which may be meant
};

namespace detail {

/// What a source gave for a setting, before it has a type.
struct raw_value {
  enum class form { text, integer, real, boolean, list, other };
  form is = form::text;
  bool is_from_file = false;  // there, text has quotes: no number is taken out of it
  std::string text;
  std::vector<raw_value> items;
};

/// A setting of any type.
struct field {
  std::string name;
  std::string wants;  // "a span of time, as \"30s\""
  bool is_secret = false;
  /// False where it is none of the kind; nothing is changed then.
  std::function<bool(const raw_value&)> set;
  std::function<std::string()> show;
};

struct outcome {
  std::vector<setting> settings;
  std::vector<std::string> notes;
};

/// Fills the fields. Throws weft::error (invalid_argument) that lists all that is wrong.
outcome fill(std::vector<field>& fields, const sources& from);

bool read_bool(const raw_value& from, bool& into);
bool read_signed(const raw_value& from, std::int64_t least, std::int64_t most, std::int64_t& into);
bool read_unsigned(const raw_value& from, std::uint64_t most, std::uint64_t& into);
bool read_real(const raw_value& from, double& into);
bool read_text(const raw_value& from, std::string& into);
bool read_span(const raw_value& from, std::chrono::microseconds& into);
bool read_bytes(const raw_value& from, byte_size& into);
/// A text is taken apart at its commas.
bool read_list(const raw_value& from, std::vector<raw_value>& into);
std::string toml_text(std::string_view text);
std::string real_text(double value);

class enum_names {
 public:
  template <typename T>
  void value(const char* name, T is) {
    names.emplace_back(name, static_cast<std::int64_t>(is));
  }
  std::vector<std::pair<std::string, std::int64_t>> names;
};

template <typename T>
std::vector<std::pair<std::string, std::int64_t>> names_of_enum() {
  enum_names all;
  weft_describe_enum(all, described_as<T>{});
  return all.names;
}

/// How a type is read and shown. No definition: the type cannot be a setting.
template <typename T>
struct kind {
  static_assert(
      weft::detail::described_beside<T> || weft::detail::described_inside<T>,
      "weft config: a setting has a type that cannot be read. It may be a bool, number, std::string, span "
      "of std::chrono, byte_size, enumeration with WEFT_DESCRIBE_ENUM, std::optional or std::vector of "
      "those, secret<std::string>, or a struct with WEFT_DESCRIBE.");
};

template <>
struct kind<bool> {
  static std::string wants() { return "true or false"; }
  static bool read(const raw_value& from, bool& into) { return read_bool(from, into); }
  static std::string show(bool value) { return value ? "true" : "false"; }
};

template <std::signed_integral T>
struct kind<T> {
  using limits = std::numeric_limits<T>;
  static std::string wants() {
    return "a number from " + std::to_string(limits::min()) + " to " + std::to_string(limits::max());
  }
  static bool read(const raw_value& from, T& into) {
    std::int64_t value = 0;
    if (!read_signed(from, limits::min(), limits::max(), value)) return false;
    into = static_cast<T>(value);
    return true;
  }
  static std::string show(T value) { return std::to_string(value); }
};

template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>)
struct kind<T> {
  using limits = std::numeric_limits<T>;
  static std::string wants() { return "a number from 0 to " + std::to_string(limits::max()); }
  static bool read(const raw_value& from, T& into) {
    std::uint64_t value = 0;
    if (!read_unsigned(from, limits::max(), value)) return false;
    into = static_cast<T>(value);
    return true;
  }
  static std::string show(T value) { return std::to_string(value); }
};

template <std::floating_point T>
struct kind<T> {
  static std::string wants() { return "a number, as 0.5"; }
  static bool read(const raw_value& from, T& into) {
    double value = 0;
    if (!read_real(from, value)) return false;
    into = static_cast<T>(value);
    return true;
  }
  static std::string show(T value) { return real_text(static_cast<double>(value)); }
};

template <>
struct kind<std::string> {
  static std::string wants() { return "text"; }
  static bool read(const raw_value& from, std::string& into) { return read_text(from, into); }
  static std::string show(const std::string& value) { return toml_text(value); }
};

template <typename Rep, typename Period>
struct kind<std::chrono::duration<Rep, Period>> {
  using span = std::chrono::duration<Rep, Period>;
  static std::string wants() { return "a span of time, as \"30s\" or \"1h30m\""; }
  static bool read(const raw_value& from, span& into) {
    std::chrono::microseconds value{};
    if (!read_span(from, value)) return false;
    const auto made = std::chrono::duration_cast<span>(value);
    if (made != value) return false;  // finer than the setting is
    into = made;
    return true;
  }
  static std::string show(span value) {
    return toml_text(duration_text(std::chrono::duration_cast<std::chrono::microseconds>(value)));
  }
};

template <>
struct kind<byte_size> {
  static std::string wants() { return "a number of bytes, as \"64MiB\""; }
  static bool read(const raw_value& from, byte_size& into) { return read_bytes(from, into); }
  static std::string show(byte_size value) { return toml_text(byte_size_text(value)); }
};

template <weft::detail::described_enum T>
struct kind<T> {
  static std::string wants() {
    std::string text;
    for (const auto& [name, value] : names_of_enum<T>()) text += (text.empty() ? "one of " : ", ") + name;
    return text;
  }
  static bool read(const raw_value& from, T& into) {
    std::string text;
    if (!read_text(from, text)) return false;
    for (const auto& [name, value] : names_of_enum<T>()) {
      if (name != text) continue;
      into = static_cast<T>(value);
      return true;
    }
    return false;
  }
  static std::string show(T is) {
    for (const auto& [name, value] : names_of_enum<T>()) {
      if (value == static_cast<std::int64_t>(is)) return toml_text(name);
    }
    return std::to_string(static_cast<std::int64_t>(is));
  }
};

template <typename T>
struct kind<std::optional<T>> {
  static std::string wants() { return kind<T>::wants(); }
  static bool read(const raw_value& from, std::optional<T>& into) {
    T value{};
    if (!kind<T>::read(from, value)) return false;
    into = std::move(value);
    return true;
  }
  static std::string show(const std::optional<T>& value) {
    return value ? kind<T>::show(*value) : "(not set)";
  }
};

template <typename T>
struct kind<std::vector<T>> {
  static std::string wants() { return "a list, each " + kind<T>::wants(); }
  static bool read(const raw_value& from, std::vector<T>& into) {
    std::vector<raw_value> items;
    if (!read_list(from, items)) return false;
    std::vector<T> values;
    for (const auto& one : items) {
      T value{};
      if (!kind<T>::read(one, value)) return false;
      values.push_back(std::move(value));
    }
    into = std::move(values);
    return true;
  }
  static std::string show(const std::vector<T>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : ", ") + kind<T>::show(one);
    return "[" + text + "]";
  }
};

template <typename T>
concept is_struct = weft::detail::described_beside<T> || weft::detail::described_inside<T>;

/// Makes a field of each member, also of those in structs below.
class field_collector {
 public:
  field_collector(std::vector<field>& into, std::string prefix) : into_(into), prefix_(std::move(prefix)) {}

  template <typename T>
  void member(const char* name, T& value) {
    if constexpr (is_struct<T> && !std::same_as<T, byte_size>) {
      field_collector below(into_, prefix_ + name + '.');
      weft::detail::visit_members<T>(below, value);
    } else {
      field made{.name = prefix_ + name, .wants = kind<T>::wants(), .set = {}, .show = {}};
      made.set = [&value](const raw_value& from) { return kind<T>::read(from, value); };
      made.show = [&value] { return kind<T>::show(value); };
      into_.push_back(std::move(made));
    }
  }
  void member(const char* name, secret<std::string>& value) {
    field made{.name = prefix_ + name, .wants = "text", .is_secret = true, .set = {}, .show = {}};
    made.set = [&value](const raw_value& from) {
      std::string text;
      if (!read_text(from, text)) return false;
      value = secret<std::string>(std::move(text));
      return true;
    };
    made.show = [&value] { return std::string(value.reveal().empty() ? "(not set)" : "(set)"); };
    into_.push_back(std::move(made));
  }

 private:
  std::vector<field>& into_;
  std::string prefix_;
};

}  // namespace detail

/// Reads the settings of a program. Waits for the file's bytes. Throws weft::error: invalid_argument with a
/// line for each thing that is wrong (where, what is wanted, which name may be meant), not_found or refused
/// where a file cannot be read, misuse where two settings would have one variable.
template <typename Settings>
  requires detail::is_struct<Settings>
loaded<Settings> load(const sources& from) {
  loaded<Settings> made;
  std::vector<detail::field> fields;
  detail::field_collector all(fields, {});
  weft::detail::visit_members<Settings>(all, made.values);
  auto done = detail::fill(fields, from);
  made.settings = std::move(done.settings);
  made.notes = std::move(done.notes);
  return made;
}

/// Settings that may be read anew while the program runs. Thread-safe.
template <typename Settings>
class reloadable {
 public:
  /// Throws as load().
  explicit reloadable(sources from)
      : from_(std::move(from)), now_(std::make_shared<const loaded<Settings>>(load<Settings>(from_))) {}

  /// Those of now: all of one reading, never a mixture of two. Keep the pointer as long as one piece of work
  /// wants them to stay as they are.
  std::shared_ptr<const loaded<Settings>> get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  /// Reads all sources again, and has get() give the new settings. Throws as load(), and keeps the old ones
  /// then: a bad file changes nothing.
  void reload() {
    auto next = std::make_shared<const loaded<Settings>>(load<Settings>(from_));
    const std::lock_guard lock(mutex_);
    now_ = std::move(next);
  }

 private:
  const sources from_;
  mutable std::mutex mutex_;
  std::shared_ptr<const loaded<Settings>> now_;  // guarded by mutex_
};

}  // namespace weft::inline v1::config
