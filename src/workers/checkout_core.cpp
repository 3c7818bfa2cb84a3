#include "workers/checkout_core.hpp"

#include <mutex>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>

#include "workers/call_log.hpp"
#include "workers/compat/exchange.hpp"
#include "workers/compat/log_data.hpp"
#include "workers/native_started_call.hpp"

namespace weft::inline v1::workers::detail {

namespace {

[[noreturn]] void raise(wire::json_value raised, const client_options& options) {
  const auto* const text = raised.if_text();
  if (text == nullptr) throw raised_value(std::move(raised));
  failure what;
  what.message = *text;
  what.where = "a worker of " + options.connect;
  what.when = wall_clock::now();
  what.raise();
}

[[noreturn]] void throw_late(pool& from, const char* what) {
  from.count_timeout();
  throw call_timed_out(std::string("workers: call: another call of the checkout ") + what, true);
}

}  // namespace

checkout_core::~checkout_core() {
  if (link_ != nullptr) pool_->finish(std::move(link_));
}

std::shared_ptr<worker_link> checkout_core::held() const noexcept {
  const std::lock_guard lock(lock_);
  return link_;
}

pid_t checkout_core::worker_pid() const noexcept {
  const std::lock_guard lock(lock_);
  return link_ != nullptr ? pid_ : -1;
}

void checkout_core::throw_if_broken() const {
  std::exception_ptr broken;
  {
    const std::lock_guard lock(lock_);
    broken = broken_;
  }
  if (broken != nullptr) std::rethrow_exception(broken);
}

void checkout_core::throw_fatal() const {
  std::exception_ptr fatal;
  {
    const std::lock_guard lock(lock_);
    fatal = fatal_;
  }
  if (fatal != nullptr) std::rethrow_exception(fatal);
}

checkout_core::ready_link checkout_core::ready_one(bool needs_native) {
  const std::lock_guard lock(lock_);
  const bool is_usable =
      is_ready_ &&
      (link_->stands_in != nullptr || (link_->connection.is_attached() && (!needs_native || link_->channel)));
  return is_usable ? ready_link(*this, link_) : ready_link();
}

checkout_core::ready_link checkout_core::ready(call_bound bound, bool needs_native) {
  throw_if_broken();
  if (auto link = ready_one(needs_native)) return link;
  std::unique_lock preparing(preparing_, std::defer_lock);
  if (!preparing.try_lock_until(bound.until))
    throw_late(*pool_, "waited for a worker, and none came in time");
  throw_if_broken();
  // Another call may have made it ready meanwhile, and wait at its connection: that is to be left alone.
  if (auto link = ready_one(needs_native)) return link;
  auto link = held();
  if (link == nullptr) link = acquire(bound);
  if (needs_native && link->messages) throw_not_native(pool_->options());
  {
    const std::lock_guard lock(lock_);
    is_ready_ = false;  // nobody is to look at the connection while it changes loops
  }
  with(link, [&] { prepare(link, bound, needs_native); });
  {
    const std::lock_guard lock(lock_);
    is_ready_ = link_ == link;
    if (is_ready_) {
      pid_ = link->said_pid;
      return {*this, std::move(link)};
    }
  }
  throw_if_broken();
  const std::lock_guard lock(lock_);
  return {*this, std::move(link)};
}

std::shared_ptr<worker_link> checkout_core::acquire(call_bound bound) {
  auto link = pool_->acquire(bound.until);
  {
    const std::lock_guard lock(lock_);
    if (fatal_ == nullptr) {
      link_ = link;
      return link;
    }
  }
  pool_->finish(std::move(link));
  throw_fatal();
  return nullptr;  // not reached: it is set once
}

// The run where it was attached may be over while calls of other threads still wait there; so they are left
// alone, and this one waits as they do. Nobody new comes to wait, as the worker is not ready now; who passed
// ready_one() before is counted until his call is open.
bool checkout_core::may_wait_at(const worker_link& link) const noexcept {
  {
    const std::lock_guard lock(lock_);
    if (begins_call_ > 0) return true;
  }
  return link.channel->has_open();
}

void checkout_core::attach_again(worker_link& link) {
  if (link.channel) {
    if (!may_wait_at(link)) link.connection.attach();
    return;
  }
  const std::unique_lock turn(turn_, std::try_to_lock);
  if (turn.owns_lock()) link.connection.attach();
}

// Whatever goes wrong before the first call costs the worker.
void checkout_core::prepare(const std::shared_ptr<worker_link>& link, call_bound bound, bool needs_native) {
  if (link->stands_in != nullptr) return;
  if (link->messages || link->channel) return attach_again(*link);
  try {
    link->connection.attach();
    agree(*link, pool_->options(), pool_->server(), needs_native, bound.until);
    if (!link->messages) await_welcome(*link, pool_->options(), bound.until);
  } catch (const call_timed_out&) {
    pool_->count_timeout();
    link->over = true;
    throw;
  } catch (...) {
    link->over = true;
    throw;
  }
}

namespace {

// What further calls throw. That one of them was cancelled is nothing to the others.
std::exception_ptr reason_of_loss() noexcept {
  if (std::current_exception() == nullptr) return nullptr;
  try {
    throw;
  } catch (const unwinding&) {
    return std::make_exception_ptr(error(
        errc::closed, "workers: call: the checkout's worker was stopped, as a call of it was cancelled"));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

void checkout_core::lose(const std::shared_ptr<worker_link>& link, bool died) noexcept {
  auto why = reason_of_loss();
  std::shared_ptr<worker_link> lost;
  {
    const std::lock_guard lock(lock_);
    if (link_ != link) return;
    lost.swap(link_);
    is_ready_ = false;
    if (broken_ == nullptr) broken_ = std::move(why);
  }
  lost->connection.shut_down();
  // One that cannot be understood may still be at work; its place is another's only after its end.
  if (lost->over && !died) end_process(*lost, pool_->options(), {});
  const bool counts = died && !lost->asked_to_end;
  lost.reset();
  pool_->forget(counts ? pool::loss::died : pool::loss::replaced);
}

call_answer checkout_core::call(const call_request& request) {
  fault_point("weft.workers.call");
  const auto until = bound();
  const auto link = ready(until, request.is_closure);
  if (link->stands_in != nullptr) return call_stand_in(*link, request, until);
  return link->messages ? call_compatibly(*link, request, until) : call_natively(*link, request, until);
}

call_answer checkout_core::call_natively(const std::shared_ptr<worker_link>& link,
                                         const call_request& request, call_bound until) {
  bytes arguments;
  const std::string travelling = context::capture().to_wire(wire_policy::worker);
  auto call = outgoing(request, arguments, travelling);
  wire::frame got;
  call_log logged(options_.log, request.target);
  call.log = &logged;
  auto reply = call_natively(link, call, until, got);
  logged.end(std::move(reply.log));
  const auto value = as_bytes(take_value(link, reply));
  return {std::move(got.payload), value, std::nullopt};
}

outgoing_call checkout_core::outgoing(const call_request& request, bytes& arguments,
                                      std::string_view context) {
  wire::binary_encoder encoder(arguments);
  request.encode(request.arguments, encoder);
  outgoing_call call;
  call.kind = request.is_closure ? call_kind::closure : call_kind::interface_name;
  call.target = request.target;
  call.arguments = as_text(arguments);
  call.context = context;
  return call;
}

reply_frame checkout_core::call_natively(const std::shared_ptr<worker_link>& link, const outgoing_call& what,
                                         call_bound until, wire::frame& got) {
  pool_->count_call();
  return with(link, [&] {
    native_call call(*pool_, link, until, &options_.on_progress);
    call.send(what);
    return call.finish(got);
  });
}

reply_frame checkout_core::call_natively(const outgoing_call& what, call_bound until, wire::frame& got) {
  const auto link = ready(until, true);
  auto reply = call_natively(*link, what, until, got);
  heed(*link, reply);
  return reply;
}

void checkout_core::heed(const std::shared_ptr<worker_link>& link, const reply_frame& reply) noexcept {
  if (reply.type == frame_type::failed) link->failed = true;
  if (reply.type == frame_type::exited) lose(link, false);
}

std::string_view checkout_core::take_value(const std::shared_ptr<worker_link>& link,
                                           const reply_frame& reply) {
  try {
    return value_of(reply);
  } catch (...) {
    heed(link, reply);
    throw;
  }
}

call_answer checkout_core::call_compatibly(const std::shared_ptr<worker_link>& link,
                                           const call_request& request, call_bound until) {
  std::string arguments;
  wire::json_encoder encoder(arguments, compat::style);
  request.encode(request.arguments, encoder);
  std::unique_lock turn(turn_, std::defer_lock);
  if (!turn.try_lock_until(until.until)) throw_late(*pool_, "was not answered in time");
  throw_if_broken();
  call_log logged(options_.log, request.target);
  auto reply =
      with(link, [&] { return exchange_compatibly(*pool_, *link, request.target, arguments, until); });
  turn.unlock();
  logged.end(compat::log_from(reply.log));
  if (!reply.ok) raise(std::move(reply.value), pool_->options());
  return {{}, {}, std::move(reply.value)};
}

std::unique_ptr<started_call> checkout_core::start(const call_request& request) {
  fault_point("weft.workers.call");
  const auto until = bound();
  const auto link = ready(until, request.is_closure);
  if (link->stands_in != nullptr) return start_with_stand_in(*link, request, until);
  if (link->messages) {
    throw error(errc::unsupported,
                "workers: start a call: the server at \"" + pool_->options().connect +
                    "\" speaks the compatible protocol only, in which a call is waited for");
  }
  bytes arguments;
  const std::string travelling = context::capture().to_wire(wire_policy::worker);
  const auto call = outgoing(request, arguments, travelling);
  auto started = std::make_unique<native_started_call>(shared_from_this(), *link, until);
  started->send(call);
  return started;
}

void checkout_core::queue(unique_function<void(checkout&)> one) {
  {
    const std::lock_guard lock(queue_lock_);
    queue_.push_back(std::move(one));
    if (std::exchange(runs_queue_, true)) return;
  }
  try {
    weft::go([self = shared_from_this()] { self->run_queue(); }, {.name = "workers::checkout queue"})
        .detach();
  } catch (...) {
    stop_queue();
    throw;
  }
}

bool checkout_core::next_queued(unique_function<void(checkout&)>& next) {
  next.reset();  // without the lock, as it ends what a caller gave
  const std::lock_guard lock(queue_lock_);
  if (queue_.empty()) {
    runs_queue_ = false;
    return false;
  }
  next = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void checkout_core::drop_queued() {
  std::deque<unique_function<void(checkout&)>> dropped;
  const std::lock_guard lock(queue_lock_);
  dropped.swap(queue_);
}

void checkout_core::stop_queue() {
  unique_function<void(checkout&)> dropped;
  while (next_queued(dropped)) {
  }
}

void checkout_core::run_queue() {
  checkout self(shared_from_this());
  unique_function<void(checkout&)> next;
  while (next_queued(next)) {
    try {
      next(self);
    } catch (const unwinding&) {
      stop_queue();
      throw;
    } catch (...) {
      log::write_exception(log::level::error, "workers: nobody handled the error of a callback",
                           std::current_exception());
    }
  }
}

void checkout_core::fail_for_good(std::exception_ptr why) {
  std::shared_ptr<worker_link> link;
  {
    const std::lock_guard lock(lock_);
    if (fatal_ == nullptr) fatal_ = why;
    broken_ = fatal_;
    link = link_;
  }
  if (link == nullptr) return;
  link->asked_to_end = true;
  link->break_off();
}

}  // namespace weft::inline v1::workers::detail
