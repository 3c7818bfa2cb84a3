// Who ends what. run() waits for stopping_, which is set by a signal, by stop(), by a part that fails, or by
// the last part that returns. Only then parts are stopped, by run() alone, so each `stop` is called at most
// once. A second signal cancels the scope around all of that: servers and workers end at once, as they do
// when they are cancelled.

#include <weft/service/lifecycle.hpp>

#include <csignal>
#include <exception>
#include <utility>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/server.hpp>
#include <weft/log/format.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/process/signals.hpp>
#include <weft/service/admin.hpp>
#include <weft/service/loop_watch.hpp>

namespace weft::inline v1::ops {

namespace {

/// Counts a part as ended, however it ends.
class counted_part {
 public:
  explicit counted_part(wait_group& in) noexcept : in_(in) {}
  counted_part(const counted_part&) = delete;
  counted_part& operator=(const counted_part&) = delete;
  ~counted_part() { in_.done(); }

 private:
  wait_group& in_;
};

}  // namespace

lifecycle_options lifecycle_options::from_environment() {
  lifecycle_options made;
  made.manager = notifier::from_environment();
  made.watchdog = take_watchdog_period().value_or(std::chrono::microseconds(0));
  return made;
}

lifecycle::lifecycle(lifecycle_options options) : options_(std::move(options)) {}

lifecycle& lifecycle::serve(http::server& one) { return serve(one, {}); }

lifecycle& lifecycle::serve(http::server& one, http::stop_options how) {
  return add({.name = "http server",
              .start = [&one] { one.start(); },
              .run = [&one] { one.wait(); },
              .stop = [&one, how] { one.stop(how); }});
}

lifecycle& lifecycle::add(part one) {
  parts_.push_back(std::move(one));
  return *this;
}

lifecycle& lifecycle::administer(admin& one) {
  admin_ = &one;
  one.health().set_ready(false);  // until all parts work
  return *this;
}

lifecycle& lifecycle::on_reload(unique_function<void()> work) {
  reload_.push_back(std::move(work));
  return *this;
}

lifecycle& lifecycle::on_reopen(unique_function<void()> work) {
  reopen_.push_back(std::move(work));
  return *this;
}

lifecycle& lifecycle::on_stop(unique_function<void()> work) {
  stop_.insert(stop_.begin(), std::move(work));
  return *this;
}

int lifecycle::run() {
  cancel_scope everything;
  try {
    live(everything);
    if (admin_ != nullptr) admin_->stop();
    return failed_.load(std::memory_order_relaxed) ? 1 : 0;
  } catch (const cancelled&) {
    if (!at_once_.load(std::memory_order_relaxed)) throw;
    return 1;
  }
}

void lifecycle::live(cancel_scope& everything) {
  process::signal_watch ends{SIGTERM, SIGINT};  // before anything that they would leave half done
  process::signal_watch reloads{SIGHUP};
  process::signal_watch reopens{SIGUSR1};

  with_scope([&](scope& in) {
    auto ending = in.go([&] {
      log::info("service: stopping; once more to stop at once",
                {{"signal", process::signal_name(ends.wait())}});
      stop();
      log::warn("service: stopping at once", {{"signal", process::signal_name(ends.wait())}});
      at_once_.store(true, std::memory_order_relaxed);
      everything.cancel(cancel_reason::shutdown);
    });
    if (admin_ != nullptr) admin_->start();
    for (part& one : parts_) {
      if (one.start) one.start();
    }
    begun_.add(parts_.size());
    running_.add(parts_.size());
    left_.store(parts_.size(), std::memory_order_relaxed);
    for (part& one : parts_) in.go([this, &one] { run_part(one); }, {.name = one.name});

    const loop_watch watch(options_.manager, options_.watchdog);
    begun_.wait();  // those that another loop took, too
    if (admin_ != nullptr) {
      admin_->health().set_ready(true);
      admin_->set_started();
    }
    options_.manager.ready();  // last: whoever hears it may look at once
    // Only now, also for what came meanwhile: a reload ends by saying that all is ready.
    auto reloading = in.go([&] {
      for (;; reload()) reloads.wait();
    });
    auto reopening = in.go([&] {
      for (;; reopen()) reopens.wait();
    });
    stopping_.wait();
    end_parts();
    for (auto* const left : {&ending, &reloading, &reopening}) left->cancel();
  });
}

void lifecycle::run_part(part& one) {
  const counted_part counted(running_);
  begun_.done();
  try {
    if (one.run) one.run();
    if (left_.fetch_sub(1) == 1) stop();
  } catch (const std::exception&) {
    log::write_exception(log::level::critical, "service: a part failed; the program stops",
                         std::current_exception(), {{"part", one.name}});
    failed_.store(true, std::memory_order_relaxed);
    stop();
  }
}

void lifecycle::end_parts() {
  options_.manager.stopping();
  if (admin_ != nullptr) admin_->health().set_ready(false);
  if (options_.drain_delay.count() > 0) sleep_for(options_.drain_delay);
  scope stops;
  for (part& one : parts_) {
    if (one.stop) stops.go([this, &one] { stop_part(one); });
  }
  stops.join();
  running_.wait();
  if (!call_all(stop_, "something was left undone at the end"))
    failed_.store(true, std::memory_order_relaxed);
}

void lifecycle::stop_part(part& one) {
  try {
    one.stop();
  } catch (const std::exception&) {
    log::write_exception(log::level::critical, "service: a part could not be stopped",
                         std::current_exception(), {{"part", one.name}});
    failed_.store(true, std::memory_order_relaxed);
  }
}

void lifecycle::reload() {
  log::info(reload_.empty() ? "service: there is nothing to reload" : "service: reloading");
  if (!is_stopping()) options_.manager.reloading();  // whoever asked waits for an answer
  call_all(reload_, "a reload was refused; what was in force stays");
  if (!is_stopping()) options_.manager.ready();
}

void lifecycle::reopen() {
  log::reopen_sinks();
  log::info("service: files are opened anew");
  call_all(reopen_, "a file was not opened anew");
}

bool lifecycle::call_all(hooks& what, const char* when) {
  bool well = true;
  for (auto& one : what) {
    try {
      one();
    } catch (const std::exception&) {
      well = false;
      log::write_exception(log::level::error, std::string("service: ") + when, std::current_exception(), {});
    }
  }
  return well;
}

int run_service(unique_function<int(lifecycle&)> body, run_options how) {
  how.dump_on_sigquit = true;
  if (!log::default_format()) log::set_default_format(log::line_format::automatic);
  lifecycle_options life = lifecycle_options::from_environment();
  return weft::run(
      [&body, &life] {
        // Before its life begins and after it has ended neither is asked for, and neither ends the program.
        const process::signal_watch unasked{SIGHUP, SIGUSR1};
        lifecycle here(std::move(life));
        return body(here);
      },
      std::move(how));
}

}  // namespace weft::inline v1::ops
