#pragma once

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/closure/services.hpp>

namespace weft::inline v1::workers {

/// A function that a worker runs apart from calls. It takes services, by the rules of closure parameters,
/// among them the container (`services&`): `void rollback(database&)`. Copies share it.
class worker_hook {
 public:
  worker_hook() = default;

  template <typename Function>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, worker_hook> &&
             weft::detail::plain_callable<std::decay_t<Function>>)
  worker_hook(Function&& function) {  // NOLINT(google-explicit-constructor): an option takes any function
    run_ = [held =
                std::make_shared<std::decay_t<Function>>(std::forward<Function>(function))](services& from) {
      call(*held, from, typename weft::detail::callable_signature<std::decay_t<Function>>::parameters{});
    };
  }

  explicit operator bool() const noexcept { return static_cast<bool>(run_); }
  void operator()(services& from) const { run_(from); }

 private:
  template <typename Function, typename... P>
  static void call(Function& function, services& from, weft::detail::type_list<P...> parameters) {
    static_assert(
        (weft::detail::is_injected<P> && ...),
        "weft workers: a function that runs apart from calls has no arguments: its parameters are services "
        "(T&), named<> and param<>");
    std::tuple<> none;
    weft::detail::call_injected(function, from, none, parameters);
  }

  std::function<void(services&)> run_;
};

}  // namespace weft::inline v1::workers
