#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <weft/closure/services.hpp>
#include <weft/workers/interface_function.hpp>
#include <weft/workers/worker_hook.hpp>

namespace weft::inline v1::workers {

/// The functions that a program's workers offer by name. Filled in setup; constant afterwards.
class interfaces {
 public:
  /// Reads the list of arguments, writes the result; nothing where there is none.
  using handler = detail::interface_handler;

  interfaces() = default;
  interfaces(interfaces&&) noexcept = default;
  interfaces& operator=(interfaces&&) noexcept = default;

  /// Offers `function` as `name`. Its parameters follow the rule of closures: a reference is a
  /// service, a value is an argument. It may capture. The empty name is for calls without a name.
  /// Throws weft::error (already_exists).
  template <typename Function>
  void add(std::string name, Function function) {
    add_handler(std::move(name), detail::make_handler(std::move(function)));
  }

  /// Offers a function that reads its arguments itself, for example any number of them.
  void add_handler(std::string name, handler what);

  /// Runs in the worker when a checkout ends and its worker goes on to another: to roll back or
  /// reset what the calls may have left. It takes services; those per task are its own. An exception ends the
  /// worker.
  void on_checkout_done(worker_hook done) { checkout_done_ = std::move(done); }

  /// Null where there is no such function.
  const handler* find(std::string_view name) const noexcept;
  const worker_hook& checkout_done() const noexcept { return checkout_done_; }

 private:
  std::map<std::string, handler, std::less<>> handlers_;
  worker_hook checkout_done_;
};

}  // namespace weft::inline v1::workers
