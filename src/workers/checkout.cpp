#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/client.hpp>

#include "workers/exchange.hpp"
#include "workers/pool.hpp"

namespace weft::workers {

checkout::checkout(std::shared_ptr<detail::pool> pool,
                   std::optional<std::chrono::nanoseconds> timeout) noexcept
    : pool_(std::move(pool)), timeout_(timeout) {}

checkout::checkout(checkout&&) noexcept = default;

checkout& checkout::operator=(checkout&& other) noexcept {
  if (this != &other) {
    give_back();
    pool_ = std::move(other.pool_);
    timeout_ = other.timeout_;
    link_ = std::move(other.link_);
    broken_ = std::move(other.broken_);
  }
  return *this;
}

checkout::~checkout() { give_back(); }

pid_t checkout::worker_pid() const noexcept {
  return link_ != nullptr && link_->handle != nullptr ? link_->handle->pid() : -1;
}

bytes checkout::exchange(const detail::call_request& request) {
  if (broken_ != nullptr) std::rethrow_exception(broken_);
  const std::string travelling = context::capture().to_wire(wire_policy::worker);
  detail::outgoing_call call;
  call.kind = request.is_closure ? detail::call_kind::closure : detail::call_kind::interface_name;
  call.target = request.target;
  call.arguments = request.arguments;
  call.context = travelling;
  wire::frame got;
  try {
    auto reply = detail::exchange(*pool_, link_, call, detail::call_bound::after(timeout_), got);
    log::emit(std::move(reply.log));
    return detail::value_of(reply);
  } catch (...) {
    if (link_ == nullptr) broken_ = std::current_exception();
    throw;
  }
}

void checkout::give_back() noexcept {
  if (link_ != nullptr) pool_->finish(std::move(link_));
}

client::client(client_options options) : pool_(std::make_shared<detail::pool>(std::move(options))) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

checkout client::checkout(checkout_options options) {
  return {pool_, options.timeout ? options.timeout : pool_->options().timeout};
}

client_statistics client::statistics() const { return pool_->statistics(); }
const client_options& client::options() const noexcept { return pool_->options(); }

}  // namespace weft::workers
