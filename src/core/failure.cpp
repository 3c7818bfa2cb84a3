#include <weft/core/clock.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>

#include <mutex>
#include <stdexcept>
#include <typeinfo>
#include <vector>

namespace weft::inline v1 {
namespace {

constexpr int causes_max = 16;

struct registered_error {
  std::string name;
  detail::error_type type;
};

struct error_types {
  std::mutex mutex;
  std::vector<registered_error> known;  // guarded by mutex; bases before what derives from them
};

error make_plain_error(const failure& from) { return error(from.code, from.message); }

constexpr detail::error_type plain_error = {
    [](const std::exception& thrown) { return typeid(thrown) == typeid(error); },
    [](const std::exception& thrown) { return dynamic_cast<const error*>(&thrown) != nullptr; },
    [](const failure& from) {
      if (from.causes.empty()) return std::make_exception_ptr(make_plain_error(from));
      return detail::with_causes(from,
                                 [](const failure& what) { std::throw_with_nested(make_plain_error(what)); });
    }};

error_types& types() {
  // Never destroyed: errors may be described during exit.
  static error_types& instance =
      *new error_types{{},
                       {{"std.runtime_error", detail::error_type_of<std::runtime_error>},
                        {"std.logic_error", detail::error_type_of<std::logic_error>},
                        {"std.invalid_argument", detail::error_type_of<std::invalid_argument>},
                        {"std.out_of_range", detail::error_type_of<std::out_of_range>},
                        {"std.domain_error", detail::error_type_of<std::domain_error>},
                        {"std.length_error", detail::error_type_of<std::length_error>},
                        {"weft.error", plain_error},
                        {"weft.deadline_exceeded", detail::error_type_of<deadline_exceeded>},
                        {"weft.broken_promise", detail::error_type_of<broken_promise>}}};
  return instance;
}

/// The name of the exception's type. std::throw_with_nested hides it behind a derived type: then
/// the latest registered type that it derives from, which is the most special one we know.
std::string registered_name(const std::exception& thrown) {
  auto& all = types();
  const std::lock_guard lock(all.mutex);
  for (const auto& candidate : all.known) {
    if (candidate.type.is_exactly(thrown)) return candidate.name;
  }
  if (dynamic_cast<const std::nested_exception*>(&thrown) == nullptr) return {};
  for (auto candidate = all.known.rbegin(); candidate != all.known.rend(); ++candidate) {
    if (candidate->type.is_derived(thrown)) return candidate->name;
  }
  return {};
}

void describe(failure& into, std::exception_ptr thrown, int depth);

void describe_cause(failure& into, const std::exception& thrown, int depth) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&thrown);
  if (nested == nullptr || nested->nested_ptr() == nullptr || depth >= causes_max) return;
  describe(into.causes.emplace_back(), nested->nested_ptr(), depth + 1);
}

void describe(failure& into, std::exception_ptr thrown, int depth) {
  into.when = wall_clock::now();
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const remote_error& remote) {
    into = remote.details();
  } catch (const error& known) {
    into.code = known.code();
    into.message = known.what();
    into.type = registered_name(known);
    describe_cause(into, known, depth);
  } catch (const std::exception& other) {
    into.message = other.what();
    into.type = registered_name(other);
    describe_cause(into, other, depth);
  } catch (const cancelled& stop) {
    into.code = errc::cancelled;
    into.message = stop.what();
  } catch (const exit_exception& stop) {
    into.code = errc::exited;
    into.message = stop.what();
  } catch (...) {
    into.message = "an exception that is not a std::exception";
  }
}

}  // namespace

namespace detail {

void register_error_type(std::string name, const error_type& type) {
  auto& all = types();
  const std::lock_guard lock(all.mutex);
  for (const auto& candidate : all.known) {
    if (candidate.name != name) continue;
    if (candidate.type.is_exactly == type.is_exactly) return;
    throw error(errc::already_exists, "register_error: \"" + name + "\" is the name of another type");
  }
  all.known.push_back({std::move(name), type});
}

std::exception_ptr with_causes(const failure& from, void (*raise)(const failure& from)) {
  try {
    try {
      from.causes.front().raise();
    } catch (...) {
      raise(from);
    }
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;  // not reached: raise throws
}

}  // namespace detail

failure failure::from(std::exception_ptr thrown) {
  failure made;
  if (thrown != nullptr) describe(made, std::move(thrown), 0);
  return made;
}

std::exception_ptr failure::to_exception() const {
  std::exception_ptr (*make)(const failure&) = nullptr;
  {
    auto& all = types();
    const std::lock_guard lock(all.mutex);
    for (const auto& candidate : all.known) {
      if (candidate.name == type) make = candidate.type.make;
    }
  }
  return make == nullptr ? std::make_exception_ptr(remote_error(*this)) : make(*this);
}

void failure::raise() const { std::rethrow_exception(to_exception()); }

std::string failure::chain() const {
  std::string text = message;
  for (const auto& cause : causes) text += ": caused by: " + cause.chain();
  return text;
}

remote_error::remote_error(failure what) : error(what.code, what.message), details_(std::move(what)) {}

}  // namespace weft::inline v1
