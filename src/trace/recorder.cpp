#include <weft/trace/recorder.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <weft/trace/span.hpp>

namespace weft::inline v1::trace {
namespace {

std::size_t bytes_of(const attribute& one) {
  const auto* const text = std::get_if<std::string>(&one.value);
  return sizeof one + one.name.size() + (text == nullptr ? 0 : text->size());
}

std::size_t bytes_of(const std::vector<attribute>& all) {
  std::size_t bytes = 0;
  for (const auto& one : all) bytes += bytes_of(one);
  return bytes;
}

std::size_t bytes_of(const finished_span& one) {
  std::size_t bytes = one.name.size() + one.status_message.size() + bytes_of(one.attributes);
  for (const auto& each : one.events) bytes += sizeof each + each.name.size() + bytes_of(each.attributes);
  for (const auto& each : one.links) bytes += sizeof each + bytes_of(each.attributes);
  return bytes;
}

/// Which recorder the process has. Never destroyed: spans may end during exit.
struct installed {
  std::mutex mutex;
  std::shared_ptr<recorder> now;  // guarded by mutex
};

installed& the_installed() {
  static auto& instance = *new installed;
  return instance;
}

}  // namespace

namespace detail {
std::atomic<bool> is_recording{false};
}

recorder::recorder(recorder_options options) : options_(options) {}

std::vector<finished_span> recorder::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<finished_span> all;
  all.reserve(kept_.size());
  for (const auto& one : kept_) all.push_back(one.span);
  return all;
}

std::vector<finished_span> recorder::drain(std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<finished_span> all;
  all.reserve(std::min(count, kept_.size()));
  while (all.size() < count && !kept_.empty()) {
    bytes_ -= kept_.front().bytes;
    all.push_back(std::move(kept_.front().span));
    kept_.pop_front();
  }
  return all;
}

std::size_t recorder::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

std::uint64_t recorder::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::uint64_t recorder::recorded() const noexcept {
  const std::lock_guard lock(mutex_);
  return recorded_;
}

void recorder::record(finished_span one) noexcept {
  const std::size_t bytes = bytes_of(one);
  std::shared_ptr<const std::function<void()>> told;
  {
    const std::lock_guard lock(mutex_);
    ++recorded_;
    const std::size_t before = kept_.size();
    try {
      kept_.push_back({std::move(one), bytes});
      bytes_ += bytes;
    } catch (const std::bad_alloc&) {
      ++dropped_;
    }
    while (kept_.size() > options_.spans_max || bytes_ > options_.bytes_max) drop_oldest();
    if (kept_.size() == tell_at_ && kept_.size() > before) told = told_;
  }
  if (told != nullptr) (*told)();
}

void recorder::tell_at(std::size_t spans, std::function<void()> told) {
  std::shared_ptr<const std::function<void()>> made;
  if (told && spans > 0) made = std::make_shared<const std::function<void()>>(std::move(told));
  const std::lock_guard lock(mutex_);
  tell_at_ = spans;
  told_.swap(made);
}

void recorder::drop_oldest() {
  bytes_ -= kept_.front().bytes;
  kept_.pop_front();
  ++dropped_;
}

std::shared_ptr<recorder> exchange_recorder(std::shared_ptr<recorder> now) {
  auto& all = the_installed();
  const std::lock_guard lock(all.mutex);
  detail::is_recording.store(now != nullptr, std::memory_order_relaxed);
  return std::exchange(all.now, std::move(now));
}

std::shared_ptr<recorder> current_recorder() {
  auto& all = the_installed();
  const std::lock_guard lock(all.mutex);
  return all.now;
}

}  // namespace weft::inline v1::trace
