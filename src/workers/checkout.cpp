#include <weft/workers/checkout.hpp>

#include <utility>

#include <weft/core/error.hpp>
#include <weft/workers/client.hpp>

#include "workers/checkout_core.hpp"
#include "workers/pool.hpp"

namespace weft::inline v1::workers {

checkout::checkout(std::shared_ptr<detail::checkout_core> core) noexcept : core_(std::move(core)) {}
checkout::checkout(checkout&&) noexcept = default;
checkout& checkout::operator=(checkout&&) noexcept = default;
checkout::~checkout() = default;

pid_t checkout::worker_pid() const noexcept { return core_->worker_pid(); }

detail::call_answer checkout::exchange(const detail::call_request& request) { return core_->call(request); }

std::unique_ptr<detail::started_call> checkout::begin(const detail::call_request& request) {
  return core_->start(request);
}

void checkout::queue(unique_function<void(checkout&)> one) { core_->queue(std::move(one)); }

void checkout::drop_queued() { core_->drop_queued(); }

// As AnyEvent::Task names its frames.
std::string checkout::frame_name(std::string_view function) const {
  const auto& pool = core_->from().options().name;
  if (pool.empty() && function.empty()) return {};
  return (pool.empty() ? "ANONYMOUS CLIENT" : pool) + " -> " +
         (function.empty() ? "NO METHOD" : std::string(function));
}

void checkout::throw_fatal_error(std::string text) {
  core_->fail_for_good(std::make_exception_ptr(error(errc::closed, std::move(text))));
}

client::client(client_options options) : pool_(std::make_shared<detail::pool>(std::move(options))) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

checkout client::checkout(checkout_options options) {
  if (!options.timeout) options.timeout = pool_->options().timeout;
  return workers::checkout(std::make_shared<detail::checkout_core>(pool_, std::move(options)));
}

client_statistics client::statistics() const { return pool_->statistics(); }
const client_options& client::options() const noexcept { return pool_->options(); }

}  // namespace weft::inline v1::workers
