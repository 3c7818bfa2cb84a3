#pragma once

#include <memory>
#include <string_view>

#include <weft/workers/checkout.hpp>
#include <weft/workers/client_options.hpp>

namespace weft::inline v1::workers {

namespace detail {
class pool;
}

/// A pool of worker processes: calls run in them, isolated, and are killed on time.
///
/// Choose it for code that may block, leak, crash or run too long; a thread_pool for code that is
/// merely slow. Thread-safe: called from any fiber or thread. Its workers end with it, except those
/// that a checkout still holds.
class client {
 public:
  explicit client(client_options options = {});
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  /// Never waits: the checkout takes a worker at its first call.
  workers::checkout checkout(checkout_options options = {});

  /// Runs a closure in a worker and waits for its result. Errors as checkout::call.
  template <typename Closure>
    requires weft::detail::is_closure<Closure>
  auto call(const Closure& what) {
    return checkout().call(what);
  }
  /// Calls a function of the interface.
  template <typename Result = void, typename... Args>
  Result call(std::string_view name, const Args&... args) {
    return checkout().template call<Result>(name, args...);
  }

  client_statistics statistics() const;
  const client_options& options() const noexcept;

 private:
  friend class worker_runner;
  std::shared_ptr<detail::pool> pool_;
};

}  // namespace weft::inline v1::workers
