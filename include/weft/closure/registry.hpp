#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/identity.hpp>
#include <weft/closure/run_place.hpp>
#include <weft/closure/services.hpp>
#include <weft/codec/describe.hpp>

namespace weft::inline v1 {

namespace detail {
struct closure_entry;
class closure_call;
}  // namespace detail

/// One closure that this program can run.
struct closure_info {
  std::string identity;  ///< as closure_identity::text; empty for an unnamed one without build id
  std::string name;      ///< empty for an unnamed one
  std::string type;      ///< as the compiler spells it
  closure_place place;
  std::string schema;         ///< of its value parameters
  std::string result_schema;  ///< `void` for none
  run_place runs_in = run_place::unsaid;
};

/// Why a stored closure cannot run here. It is to be kept, not dropped: another build may run it.
enum class closure_refusal_reason : unsigned char {
  malformed_identity,  ///< the text is no identity
  unknown_name,        ///< this program has no closure of that name
  other_build,         ///< an unnamed closure of another build
  unknown_place,       ///< this build, but no closure there: the bytes were made up
  arguments_unfit,     ///< the stored arguments do not fit its parameters without loss
  services_missing,    ///< it asks for services that it cannot have here
};
WEFT_DESCRIBE_ENUM(closure_refusal_reason, malformed_identity, unknown_name, other_build, unknown_place,
                   arguments_unfit, services_missing);

struct closure_refusal {
  closure_refusal_reason reason = closure_refusal_reason::unknown_name;
  std::string message;        ///< a sentence, with what to do
  std::string stored_schema;  ///< of the arguments as they were stored
  std::string schema;         ///< that the closure here has; empty where there is none
  std::string build_id;       ///< of the build that made an unnamed one
};
WEFT_DESCRIBE(closure_refusal, reason, message, stored_schema, schema, build_id);
WEFT_MISSING_IS_DEFAULT(closure_refusal);

/// A stored closure with its arguments read again: ready to run, as often as wanted.
class bound_closure {
 public:
  /// Runs it with services of `from` and returns its result as JSON, `null` for void. `from` is used
  /// as it is: make a child for each run. Throws what the function throws.
  std::string operator()(services& from) const;
  /// The same in the encoder's format.
  void run(services& from, encoder& out) const;

  /// What it would miss with services of `from`, a sentence each.
  std::vector<std::string> missing(const services& from) const;

  closure_info info() const;

 private:
  friend class closure_registry;
  bound_closure(detail::closure_entry& entry, std::shared_ptr<const detail::closure_call> call)
      : entry_(&entry), call_(std::move(call)) {}

  detail::closure_entry* entry_;
  std::shared_ptr<const detail::closure_call> call_;
};

/// A value, or why there is none.
template <typename Value>
class accepted {
 public:
  accepted(Value value) : value_(std::move(value)) {}                  // NOLINT(google-explicit-constructor)
  accepted(closure_refusal refusal) : refusal_(std::move(refusal)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return value_.has_value(); }
  bool has_value() const noexcept { return value_.has_value(); }
  const Value& operator*() const noexcept { return *value_; }
  const Value* operator->() const noexcept { return &*value_; }
  /// Only where there is no value.
  const closure_refusal& refusal() const noexcept { return refusal_; }

 private:
  std::optional<Value> value_;
  closure_refusal refusal_;
};

/// All closures of this program. They are here before main by being written in code that is linked
/// (weft_jobs() in CMake brings those of libraries). Thread-safe; never waits.
class closure_registry {
 public:
  /// The closure with that identity (closure_identity::text), if it can run here.
  static accepted<closure_info> find(std::string_view identity);

  /// The closure with its stored arguments, a JSON list. Each must fit the parameter at its place
  /// without loss; parameters beyond them must be optional.
  static accepted<bound_closure> bind(std::string_view identity, std::string_view arguments);
  /// The same, with the arguments in the decoder's format.
  static accepted<bound_closure> bind(std::string_view identity, decoder& arguments);

  /// All of them: named ones by name, then the others by place.
  static std::vector<closure_info> list();

  /// What closures of this program would miss with services of `from`, a sentence each with the
  /// closure in front; for the start of a worker. `which`: only of those for which it returns true.
  static std::vector<std::string> missing(const services& from,
                                          const std::function<bool(const closure_info&)>& which = {});
};

/// The build id of the program's own file in hex; empty where it was linked without one.
std::string program_build_id();

}  // namespace weft::inline v1
