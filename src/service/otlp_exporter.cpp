#include <weft/service/otlp_exporter.hpp>

#include <errno.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/core/version.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/log.hpp>

#include "service/otlp_json.hpp"
#include "service/otlp_sender.hpp"

// The exporter's thread has a run of its own with two fibers. One sends: in each pass the recorder's spans,
// batch by batch, then it waits for wake_, at most for the schedule. The other waits for stop_asked_, and
// cancels the first where that does not end in the time given. Any thread may set the events; stop_until_ is
// written before stop_asked_ is set and read after, and so is why_not_ with started_.
//
// No flush is lost: who flushes adds its event to flushing_ before it sets wake_, and a pass resets wake_
// before it takes flushing_, which it sets when it is over.

namespace weft::inline v1 {

namespace {

void check(const otlp_options& options) {
  detail::otlp_sender::check(options);
  const auto is_positive = [](std::chrono::milliseconds time) { return time.count() > 0; };
  if (options.batch_spans_max == 0 || !is_positive(options.timeout) || !is_positive(options.schedule) ||
      !is_positive(options.backoff_min) || options.backoff_max < options.backoff_min)
    throw error(
        errc::invalid_argument,
        "otlp: batch_spans_max, timeout, schedule and backoff_min must be above 0, backoff_max not below "
        "backoff_min");
}

std::vector<trace::attribute> resource_of(const otlp_options& options) {
  constexpr std::string_view service = "service.name";
  const auto named = std::find_if(options.resource.begin(), options.resource.end(),
                                  [&](const trace::attribute& one) { return one.name == service; });
  log::field_value name = "unknown_service:" + std::string(program_invocation_short_name);
  if (named != options.resource.end()) name = named->value;
  if (!options.service_name.empty()) name = options.service_name;
  std::vector<trace::attribute> made{{std::string(service), std::move(name)},
                                     {"telemetry.sdk.name", "weft"},
                                     {"telemetry.sdk.language", "cpp"},
                                     {"telemetry.sdk.version", std::string(version)}};
  for (const trace::attribute& one : options.resource) {
    const bool is_there = std::any_of(made.begin(), made.end(),
                                      [&](const trace::attribute& its) { return its.name == one.name; });
    if (!is_there) made.push_back(one);
  }
  return made;
}

}  // namespace

class otlp_exporter::impl {
 public:
  impl(std::shared_ptr<trace::recorder> from, otlp_options options)
      : recorder_(std::move(from)),
        options_(std::move(options)),
        resource_(resource_of(options_)),
        wake_(std::make_shared<event>()) {
    recorder_->tell_at(tell_at(), [wake = wake_] { wake->set(); });
    thread_ = weft::detail::started_thread("weft-otlp", weft::detail::thread_signals::blocked,
                                           [this] { run_all(); });
    shield([this] { static_cast<void>(started_.wait_for(std::chrono::minutes(1))); });
    if (!why_not_) return;
    recorder_->tell_at(0, nullptr);
    thread_.join();
    throw error(*why_not_);
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { stop(std::chrono::seconds(5)); }

  bool flush(std::chrono::milliseconds bound) {
    const auto over = std::make_shared<event>();
    {
      const std::lock_guard lock(mutex_);
      if (is_over_) return true;
      flushing_.push_back(over);
    }
    wake_->set();
    return over->wait_for(bound);
  }

  bool stop(std::chrono::milliseconds bound) noexcept {
    if (is_stopped_.exchange(true)) return true;
    const std::uint64_t failed_before = failed_.load(std::memory_order_relaxed);
    recorder_->tell_at(0, nullptr);
    stop_until_ = deadline_after(bound);
    stop_asked_.set();
    wake_->set();
    // A fiber lets the others of its loop run meanwhile; then the thread ends at once.
    try {
      shield([&] { static_cast<void>(sent_.wait_for(bound + std::chrono::seconds(1))); });
    } catch (const error&) {  // where no fiber may wait
    }
    thread_.join();
    return failed_.load(std::memory_order_relaxed) == failed_before;
  }

  otlp_statistics statistics() const {
    return {.exported = exported_.load(std::memory_order_relaxed),
            .rejected = rejected_.load(std::memory_order_relaxed),
            .failed = failed_.load(std::memory_order_relaxed),
            .dropped = recorder_->dropped(),
            .requests = requests_.load(std::memory_order_relaxed),
            .retries = retries_.load(std::memory_order_relaxed)};
  }

 private:
  using outcome = detail::sent_spans::outcome;

  std::size_t tell_at() const noexcept {
    return std::clamp<std::size_t>(recorder_->options().spans_max, 1, options_.batch_spans_max);
  }

  void run_all() noexcept {
    try {
      // JSON of nested attributes needs more of a stack than usual.
      run([this] { run_until_stopped(); }, {.stack_bytes = std::size_t{256} * 1024, .deadlock_check = false});
    } catch (const error& failed) {
      if (started_.is_set()) {
        log::error("otlp: spans are not sent any more", {{"why", failed.message()}});
      } else {
        why_not_.emplace(failed.code(), "otlp: \"" + options_.url + "\": " + failed.message());
        started_.set();
      }
    }
    std::vector<std::shared_ptr<event>> waiting;
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      waiting.swap(flushing_);
    }
    for (const auto& one : waiting) one->set();
    sent_.set();
  }

  void run_until_stopped() {
    detail::otlp_sender to(options_);
    started_.set();
    event is_sent;
    fiber<void> sending = go([&] {
      struct tell {
        event& at_the_end;
        ~tell() { at_the_end.set(); }
      } const last{is_sent};
      while (pass(to)) wake_->wait_for(options_.schedule);
    });
    stop_asked_.wait();
    if (!is_sent.wait_until(stop_until_)) sending.cancel();
    try {
      sending.join();
    } catch (const cancelled&) {  // what was under way is counted
    }
  }

  /// Sends what the recorder has. False if that was the last time.
  bool pass(detail::otlp_sender& to) {
    wake_->reset();
    const bool is_last = stop_asked_.is_set();
    std::vector<std::shared_ptr<event>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(flushing_);
    }
    struct tell {
      std::vector<std::shared_ptr<event>>& waiting;
      ~tell() {
        for (const auto& one : waiting) one->set();
      }
    } const at_the_end{waiting};
    // What ends meanwhile is for the next pass, so that a flush comes to an end.
    for (std::size_t left = recorder_->size(); left > 0;) {
      const auto batch = recorder_->drain(std::min(left, options_.batch_spans_max));
      if (batch.empty()) break;
      left -= batch.size();
      try {
        hand_over(to, batch);
      } catch (const std::exception& failed) {  // such as no memory: the next ones may do better
        note_failed(failed.what(), batch.size());
      }
    }
    if (recorder_->size() >= tell_at()) wake_->set();  // that many may never have been reached from below
    return !is_last;
  }

  void hand_over(detail::otlp_sender& to, const std::vector<trace::finished_span>& batch) {
    struct count_failed {
      std::atomic<std::uint64_t>& failed;
      std::size_t spans;
      ~count_failed() { failed.fetch_add(spans, std::memory_order_relaxed); }
    } given_up{failed_, batch.size()};
    const std::string body = detail::otlp_json(resource_, batch);
    const steady_time until = deadline_after(options_.retry_timeout);
    auto backoff = options_.backoff_min;
    while (true) {
      requests_.fetch_add(1, std::memory_order_relaxed);
      const detail::sent_spans got = to.send(body);
      if (got.how == outcome::taken) {
        given_up.spans = 0;
        note_taken(got, batch.size());
        return;
      }
      if (got.how == outcome::refused || steady_clock::now() >= until)
        return note_failed(got.why, batch.size());
      log::debug("otlp: a request with spans is repeated later", {{"why", got.why}});
      wait_for(pause_after(got, backoff));
      backoff = std::min(backoff * 2, options_.backoff_max);
      retries_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Not the same for all programs that wait for one collector.
  std::chrono::milliseconds pause_after(const detail::sent_spans& got, std::chrono::milliseconds backoff) {
    const auto most = std::min(backoff, options_.backoff_max).count();
    std::chrono::milliseconds pause(std::uniform_int_distribution(most / 2, most)(random_));
    if (got.retry_after)
      pause = std::max(pause, std::chrono::milliseconds(std::min<std::chrono::milliseconds>(
                                  *got.retry_after, options_.backoff_max)));
    return pause;
  }

  /// The wish to stop ends such a wait, and makes later ones short: there is not much time left.
  void wait_for(std::chrono::milliseconds pause) {
    constexpr std::chrono::milliseconds last_pause_max(500);
    if (stop_asked_.is_set()) {
      sleep_for(std::min(pause, last_pause_max));
    } else {
      stop_asked_.wait_for(pause);
    }
  }

  void note_taken(const detail::sent_spans& got, std::size_t spans) {
    const std::uint64_t rejected = std::min<std::uint64_t>(got.rejected_spans, spans);
    rejected_.fetch_add(rejected, std::memory_order_relaxed);
    exported_.fetch_add(spans - rejected, std::memory_order_relaxed);
    if (rejected > 0 || !got.why.empty())
      log::warn("otlp: the collector did not take all", {{"rejected_spans", rejected}, {"why", got.why}});
    if (std::exchange(is_failing_, false)) log::info("otlp: the collector takes spans again");
  }

  void note_failed(const std::string& why, std::size_t spans) {
    if (!std::exchange(is_failing_, true))
      log::error("otlp: spans are given up", {{"spans", spans}, {"why", why}, {"url", options_.url}});
  }

  const std::shared_ptr<trace::recorder> recorder_;
  const otlp_options options_;
  const std::vector<trace::attribute> resource_;
  const std::shared_ptr<event> wake_;  // the recorder's callback has it, too
  event started_;
  std::optional<error> why_not_;  // it could not start
  event stop_asked_;
  event sent_;
  steady_time stop_until_{};
  std::atomic<bool> is_stopped_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<event>> flushing_;  // guarded by mutex_
  bool is_over_ = false;                          // guarded by mutex_
  bool is_failing_ = false;                       // of the thread alone, as what follows
  std::minstd_rand random_{std::random_device()()};
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> retries_{0};
  weft::detail::started_thread thread_;
};

otlp_exporter::otlp_exporter(std::shared_ptr<trace::recorder> from, otlp_options options) {
  if (from == nullptr) throw error(errc::invalid_argument, "otlp: an exporter needs a recorder");
  check(options);
  impl_ = std::make_unique<impl>(std::move(from), std::move(options));
}
otlp_exporter::~otlp_exporter() = default;

bool otlp_exporter::flush(std::chrono::milliseconds bound) { return impl_->flush(bound); }
bool otlp_exporter::stop(std::chrono::milliseconds bound) noexcept { return impl_->stop(bound); }
otlp_statistics otlp_exporter::statistics() const { return impl_->statistics(); }

}  // namespace weft::inline v1
