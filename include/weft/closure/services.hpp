#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/closure/parameter.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1 {

/// How a service is kept. Not asked of a type that says its scope itself.
struct service_options {
  service_scope scope = service_scope::singleton;
};

/// Makes objects when they are first asked for, and hands them to the functions that ask.
///
/// A type may say its scope, for all containers: `static constexpr auto weft_scope =
/// service_scope::per_request;`. What runs apart from requests, as jobs do, then refuses closures that ask
/// for it.
///
/// A service is known by its type, or by its type and a name. Its factory takes nothing, the
/// container (`services&`), or the services it needs by the rules of closure parameters. It returns
/// the object (which need not be movable), a std::unique_ptr or a std::shared_ptr.
///
///     services app;
///     app.add<mailer>([](param<std::string, "mail.host"> host) { return smtp_mailer(*host); });
///     app.set("mail.host", "mx.example.org");
///     app.get<mailer>().send(...);
///
/// A container may have children, one for each task or request; what a child does not have it asks
/// its parent for, and services of narrower scope live in the child. A singleton never sees a
/// child's services. A container dies after its children and after all that uses its services;
/// then it destroys them, latest made first.
///
/// Thread-safety: get and the like from any thread and fiber; while one task makes a service, others
/// that want it wait, which is a cancellation point. Factories run on the task that asks first and
/// may wait; that of a per_task service may run for several tasks at once. Adding while others ask is
/// allowed, too.
///
/// The factory of a singleton runs in the root context, because the service outlives who asks first: it sees
/// nobody's values, deadline or cancellation, nor does what it starts. Other factories run in that of who
/// asks.
class services {
 public:
  services();
  /// A child for one task (per_task) or one request (per_request, which is a task as well).
  services(services& parent, service_scope scope);
  services(const services&) = delete;
  services& operator=(const services&) = delete;
  ~services();

  /// Says how to make a `Service`. Throws weft::error: already_exists if this container has one (a child may
  /// have its own), invalid_argument for another scope than its type says.
  template <typename Service, typename Factory>
    requires std::is_object_v<std::remove_reference_t<Factory>> &&
             (!std::is_convertible_v<Factory, std::string>)
  void add(Factory factory, service_options options = {}) {
    add<Service>(std::string(), std::move(factory), options);
  }
  /// The same for one of several of a type: `named<Service, "name">` asks for it.
  template <typename Service, typename Factory>
  void add(std::string name, Factory factory, service_options options = {});

  /// Offers an object that somebody else owns, and that outlives this container.
  template <typename Service>
  void provide(Service& object, std::string name = {}) {
    add_recipe(recipe_for<Service>(std::move(name), {}), const_cast<std::remove_cv_t<Service>*>(&object));
  }

  /// Says that a `Service` will be provided by the child of each run, such as the control of a job:
  /// check functions then do not miss it, and asking for it outside of a run names the reason.
  template <typename Service>
  void expect(std::string name = {}) {
    auto expected = recipe_for<Service>(std::move(name), {.scope = service_scope::per_task});
    expected.is_expected = true;
    add_recipe(std::move(expected), nullptr);
  }

  /// The service, made now if need be. Throws weft::error: not_found (nobody added it), refused (its
  /// scope is narrower than this container), misuse (a circle of factories, with its path); and what
  /// its factory throws, in which case the next one who asks tries again.
  template <typename Service>
  Service& get(std::string_view name = {}) {
    return *static_cast<Service*>(get_object(detail::service_requirement<Service>(name)));
  }

  /// Could get find one? Makes nothing.
  template <typename Service>
  bool has(std::string_view name = {}) const {
    return knows(detail::service_requirement<Service>(name));
  }

  /// Sets the parameter that `param<T, "name">` asks for; set again, it is replaced. A child's value
  /// hides its parent's.
  template <typename Value>
  void set(std::string name, const Value& value) {
    if constexpr (std::is_convertible_v<Value, std::string_view>) {
      set_encoded(std::move(name), wire::to_json(std::string(std::string_view(value))));
    } else {
      set_encoded(std::move(name), wire::to_json(value));
    }
  }

  /// The parameter as a `Value`. Throws weft::error: not_found, or malformed where what was set does
  /// not fit without loss.
  template <encodable Value>
  Value parameter(std::string_view name) const {
    return decode_parameter<Value>(name, find_encoded(name));
  }

  /// What is missing for a function with these requirements, a sentence each; factories that
  /// ask by their parameters are walked, too. Makes nothing. Empty: nothing is missing.
  std::vector<std::string> missing(const std::vector<detail::requirement>& requirements) const;

  /// The scope that this container was made for; singleton for one without parent.
  service_scope scope() const noexcept;

 private:
  struct state;
  struct recipe {
    const void* type;
    std::string_view type_name;
    std::string name;
    service_scope scope = service_scope::singleton;
    unique_function<std::shared_ptr<void>(services&)> make;
    std::vector<detail::requirement> needs;
    bool is_expected = false;
  };

  template <typename Service>
  static recipe recipe_for(std::string name, service_options options) {
    static_assert(std::is_class_v<Service>,
                  "weft services: a service is a class; pass values with set() and param<>");
    constexpr auto what = detail::service_requirement<Service>({});
    return {what.type, what.type_name, std::move(name), scope_for<Service>(options), {}, {}, false};
  }
  template <typename Service>
  static service_scope scope_for(const service_options& options) {
    if constexpr (detail::says_its_scope<Service>) {
      if (options.scope != service_scope::singleton && options.scope != Service::weft_scope)
        throw_other_scope(detail::type_name<Service>());
      return Service::weft_scope;
    } else {
      return options.scope;
    }
  }
  [[noreturn]] static void throw_other_scope(std::string_view type_name);
  template <typename Value>
  static Value decode_parameter(std::string_view name, const std::string& encoded) {
    try {
      return wire::from_json<Value>(encoded);
    } catch (const error& problem) {
      throw_unfit_parameter(name, problem);
    }
  }
  [[noreturn]] static void throw_unfit_parameter(std::string_view name, const error& problem);

  void add_recipe(recipe added, void* object);
  void* get_object(const detail::requirement& what);
  bool knows(const detail::requirement& what) const;
  void set_encoded(std::string name, std::string encoded);
  std::string find_encoded(std::string_view name) const;

  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1

// How factories and functions get their parameters; defines services::add, too.
#include <weft/closure/inject.hpp>
