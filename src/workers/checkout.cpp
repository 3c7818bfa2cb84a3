#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>
#include <weft/workers/client.hpp>

#include "workers/compat/log_data.hpp"
#include "workers/exchange.hpp"
#include "workers/pool.hpp"

namespace weft::workers {

namespace {

using link_pointer = std::unique_ptr<detail::worker_link>;

detail::call_answer exchange_natively(detail::pool& pool, link_pointer& link,
                                      const detail::call_request& request, detail::call_bound bound) {
  bytes arguments;
  wire::binary_encoder encoder(arguments);
  request.encode(request.arguments, encoder);
  const std::string travelling = context::capture().to_wire(wire_policy::worker);
  detail::outgoing_call call;
  call.kind = request.is_closure ? detail::call_kind::closure : detail::call_kind::interface_name;
  call.target = request.target;
  call.arguments = as_text(arguments);
  call.context = travelling;
  wire::frame got;
  auto reply = detail::exchange(pool, link, call, bound, got);
  log::emit(std::move(reply.log));
  return {detail::value_of(reply), std::nullopt};
}

[[noreturn]] void raise(wire::json_value raised, const client_options& options) {
  const auto* const text = raised.if_text();
  if (text == nullptr) throw raised_value(std::move(raised));
  failure what;
  what.message = *text;
  what.where = "a worker of " + options.connect;
  what.when = wall_clock::now();
  what.raise();
}

detail::call_answer exchange_compatibly(detail::pool& pool, link_pointer& link,
                                        const detail::call_request& request, detail::call_bound bound) {
  std::string arguments;
  wire::json_encoder encoder(arguments, detail::compat::style);
  request.encode(request.arguments, encoder);
  auto reply = detail::exchange_compatibly(pool, link, request.target, arguments, bound);
  log::emit(detail::compat::log_from(reply.log));
  if (!reply.ok) raise(std::move(reply.value), pool.options());
  return {{}, std::move(reply.value)};
}

}  // namespace

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

detail::call_answer checkout::exchange(const detail::call_request& request) {
  if (broken_ != nullptr) std::rethrow_exception(broken_);
  const auto bound = detail::call_bound::after(timeout_);
  try {
    detail::prepare(*pool_, link_, bound, request.is_closure);
    if (link_->messages) return exchange_compatibly(*pool_, link_, request, bound);
    return exchange_natively(*pool_, link_, request, bound);
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
