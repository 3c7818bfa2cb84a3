#include "testing/fake_pool.hpp"

#include <limits>
#include <optional>
#include <utility>

#include <weft/closure/registry.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/json.hpp>
#include <weft/workers/errors.hpp>

#include "testing/fake_call.hpp"

namespace weft::inline v1::testing::detail {
namespace {

using kind = scripted_reply::kind;

/// The exception in flight as it would come from another process.
[[noreturn]] void throw_as_from_worker() {
  auto what = failure::from(std::current_exception());
  if (what.where.empty()) what.where = "a fake worker";
  what.raise();
}

std::string in_call(const std::string& name) { return "fake workers: call \"" + name + "\": "; }

[[noreturn]] void throw_died(const std::string& name, const scripted_reply& reply) {
  const auto status = process::exit_status::signaled(reply.number);
  throw workers::worker_died(in_call(name) + "the worker died: " + to_string(status), -1, status,
                             workers::death_cause::unknown, reply.last_words);
}

}  // namespace

std::string_view name_of_target(std::string_view target) noexcept {
  return target.substr(0, target.find('('));
}

fake_pool::fake_pool(const fake_workers::offer& setup) {
  if (setup) setup(app_, offered_);
}

void fake_pool::start() {
  const std::lock_guard lock(mutex_);
  if (failing_starts_ == 0) return;
  --failing_starts_;
  throw workers::start_failed("fake workers: start a worker: the test says that none can be had");
}

void fake_pool::fail_starts(std::size_t count) {
  const std::lock_guard lock(mutex_);
  failing_starts_ = count;
}

worker_script& fake_pool::script(std::string_view name,
                                 const std::function<worker_script(std::string)>& make) {
  const std::lock_guard lock(mutex_);
  const auto at = scripts_.find(name);
  if (at != scripts_.end()) return at->second;
  return scripts_.emplace(std::string(name), make(std::string(name))).first->second;
}

void fake_pool::add(const std::string& name, scripted_reply one) {
  const std::lock_guard lock(mutex_);
  auto& all = replies_[name];
  if (all.last_repeats) {
    throw error(errc::misuse, "fake workers: script \"" + name + "\": nothing comes behind for_ever()");
  }
  all.next.push_back(std::move(one));
}

void fake_pool::repeat_last(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& all = replies_[name];
  if (all.next.empty())
    throw error(errc::misuse, "fake workers: script \"" + name + "\": for_ever() has no reply before it");
  all.last_repeats = true;
}

std::vector<fake_workers::seen_call> fake_pool::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

scripted_reply fake_pool::take_reply(const std::string& name, std::string arguments) {
  const std::lock_guard lock(mutex_);
  calls_.push_back({name, std::move(arguments)});
  const auto at = replies_.find(name);
  if (at == replies_.end() || at->second.next.empty()) return {};
  auto& all = at->second;
  if (all.last_repeats && all.next.size() == 1) return all.next.front();
  auto next = std::move(all.next.front());
  all.next.pop_front();
  return next;
}

fake_pool::written_call fake_pool::write_down(const workers::detail::call_request& request,
                                              steady_time until) {
  written_call made;
  made.name = name_of_target(request.target);
  made.target = request.target;
  made.is_closure = request.is_closure;
  made.until = until;
  std::string shown;
  {
    wire::binary_encoder out(made.arguments);
    request.encode(request.arguments, out);
    wire::json_encoder readable(shown);
    request.encode(request.arguments, readable);
  }
  made.reply = take_reply(made.name, std::move(shown));
  return made;
}

void fake_pool::play(const scripted_reply& reply, const std::string& name, steady_time until) {
  switch (reply.what) {
    case kind::runs:
    case kind::answers:
      return;
    case kind::throws:
      try {
        std::rethrow_exception(reply.error);
      } catch (...) {
        throw_as_from_worker();
      }
    case kind::crashes:
      throw_died(name, reply);
    case kind::exits:
      throw workers::worker_exited(in_call(name) + "the function asked to exit", reply.number);
    case kind::hangs:
      weft::sleep_until(until);
      [[fallthrough]];
    case kind::times_out:
      throw workers::call_timed_out(in_call(name) + "its time passed");
  }
}

bytes fake_pool::run_function(const written_call& what, workers::caller& with) {
  bytes result;
  wire::binary_encoder out(result);
  wire::binary_decoder arguments(what.arguments);
  services task(app_, service_scope::per_task);
  task.provide<workers::caller>(with);
  if (what.is_closure) {
    const auto bound = closure_registry::bind(what.target, arguments);
    if (!bound) throw error(errc::not_found, in_call(what.name) + bound.refusal().message);
    bound->run(task, out);
    return result;
  }
  const auto* const function = offered_.find(what.target);
  if (function == nullptr) {
    throw error(errc::not_found, in_call(what.name) +
                                     "the worker's interface has no such function; add it in setup, or "
                                     "script what it answers");
  }
  (*function)(task, arguments, out);
  return result;
}

workers::detail::call_answer fake_pool::answer(const written_call& what, workers::caller& with) {
  workers::detail::call_answer made;
  play(what.reply, what.name, what.until);
  if (what.reply.what == kind::answers) {
    wire::binary_encoder out(made.held);
    what.reply.answer(out);
  } else {
    const auto travelled = context::from_wire(context::capture().to_wire(wire_policy::worker));
    const cancel_scope bounded(what.until);
    try {
      const auto here = weft::detail::under_caller(travelled).attach();
      made.held = run_function(what, with);
    } catch (const exit_exception& left) {
      throw workers::worker_exited(in_call(what.name) + "the function asked to exit", left.status_code());
    } catch (const cancelled&) {
      if (bounded.deadline_passed()) throw workers::call_timed_out(in_call(what.name) + "its time passed");
      if (cancellation_requested()) throw;
      throw_as_from_worker();
    } catch (...) {
      throw_as_from_worker();
    }
  }
  made.binary = made.held;
  return made;
}

workers::detail::call_answer fake_pool::call(
    const workers::detail::call_request& request, steady_time until,
    const std::function<void(const workers::progress&)>& on_progress) {
  fake_caller caller(on_progress);
  return answer(write_down(request, until), caller);
}

std::unique_ptr<workers::detail::started_call> fake_pool::begin(
    const workers::detail::call_request& request, steady_time until,
    const std::function<void(const workers::progress&)>& on_progress) {
  return std::make_unique<fake_started_call>(*this, write_down(request, until), on_progress);
}

closure_outcome fake_pool::run(const closure_request& request) {
  const std::string name(name_of_target(request.identity));
  const auto reply = take_reply(name, request.arguments);
  closure_outcome made;
  try {
    play(reply, name, request.deadline);
    if (reply.what == kind::answers) {
      wire::json_encoder out(made.result.emplace());
      reply.answer(out);
      return made;
    }
    fake_caller caller({});  // as in a worker, nobody hears of the progress of a written closure
    services run(app_, service_scope::per_task);
    run.provide<workers::caller>(caller);
    return in_place_runner(run).run(request);
  } catch (const unwinding&) {
    throw;
  } catch (const workers::worker_died&) {
    throw;
  } catch (const workers::worker_exited&) {
    throw;
  } catch (const workers::call_timed_out&) {
    throw;
  } catch (...) {
    made.error = failure_of_run();
  }
  return made;
}

}  // namespace weft::inline v1::testing::detail
