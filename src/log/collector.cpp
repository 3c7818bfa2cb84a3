#include <weft/log/collector.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/logger.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

#include "log/collecting.hpp"
#include "log/routes.hpp"

namespace weft::inline v1::log {
namespace detail {
namespace {

const key<std::shared_ptr<collecting>>& collecting_key() {
  static const key_spec spec{.name = "weft.log.collector"};
  // Never destroyed: work may log during exit.
  static const auto& instance = *new key<std::shared_ptr<collecting>>{spec};
  return instance;
}

std::size_t size_of(const field_value& one) noexcept {
  if (const auto* const text = std::get_if<std::string>(&one)) return text->size();
  if (const auto* const json = std::get_if<json_text>(&one)) return json->text.size();
  return sizeof(std::int64_t);
}

std::size_t size_of(const field& one) noexcept { return one.name.size() + size_of(one.value); }

std::size_t size_of(const record& one) noexcept {
  std::size_t bytes = one.message.size() + one.task_name.size() + one.file.size();
  for (const auto& each : one.fields) bytes += size_of(each);
  for (const auto& each : one.context) bytes += each.name.size() + each.text.size();
  return bytes;
}

}  // namespace

const std::shared_ptr<collecting>* current_collecting() noexcept { return collecting_key().find(); }

collecting::collecting(collector_options options, std::shared_ptr<collecting> outer)
    : options_(std::move(options)), outer_(std::move(outer)), start_(now()) {
  count_collector(options_.level, 1);
}

collecting::~collecting() {
  if (!open_) return;
  count_collector(options_.level, -1);
  if (!options_.deliver) return;
  try {
    options_.deliver(take_all());
  } catch (...) {
    count_lost();
  }
}

bool collecting::is_kept(level of, int number) const noexcept {
  return of >= options_.level && (!options_.verbosity || number <= *options_.verbosity);
}

std::optional<bool> collecting::wants(level of, int number) const noexcept {
  const std::lock_guard lock(mutex_);
  if (!open_) return std::nullopt;
  if (is_kept(of, number)) return true;
  return options_.pass_on ? std::nullopt : std::optional(false);
}

bool collecting::has_room_for(std::size_t bytes) const noexcept {
  return records_.size() < options_.records_max && bytes <= options_.bytes_max - bytes_;
}

bool collecting::take_in(const record& one) {
  const std::size_t bytes = size_of(one);
  const std::lock_guard lock(mutex_);
  if (!open_) return false;
  if (!is_kept(one.level, number_of(one))) return !options_.pass_on;
  if (has_room_for(bytes)) {
    records_.push_back(one);
    bytes_ += bytes;
  } else {
    ++dropped_;
  }
  return !options_.pass_on;
}

void collecting::close() noexcept {
  if (options_.deliver) return;
  const std::lock_guard lock(mutex_);
  if (std::exchange(open_, false)) count_collector(options_.level, -1);
  records_ = {};
  timers_ = {};
  data_ = {};
}

collecting::started_timer collecting::start_timer(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (!open_ || timers_.size() >= timers_max) return {};
  timers_.push_back({++timers_started_, {to_utf8(name), now(), std::nullopt}});
  return {timers_started_, timers_.back().held.start};
}

void collecting::end_timer(std::uint64_t number, std::chrono::microseconds took) noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& each : timers_) {
    if (each.number == number) each.held.took = took;
  }
}

bool collecting::add_timers(const std::vector<timing>& more) {
  const std::lock_guard lock(mutex_);
  if (!open_) return false;
  for (const auto& each : more) {
    if (timers_.size() < timers_max) timers_.push_back({0, each});
  }
  return true;
}

bool collecting::add_data(field value) {
  const std::lock_guard lock(mutex_);
  if (!open_) return false;
  const auto same =
      std::find_if(data_.begin(), data_.end(), [&](const field& old) { return old.name == value.name; });
  if (same != data_.end()) {
    same->value = std::move(value.value);
  } else if (data_.size() < data_max) {
    data_.push_back(std::move(value));
  }
  return true;
}

void collecting::count_dropped(std::uint64_t more) noexcept {
  const std::lock_guard lock(mutex_);
  dropped_ += more;
}

std::vector<record> collecting::take() {
  std::vector<record> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(records_);
    bytes_ = 0;
  }
  std::stable_sort(taken.begin(), taken.end(),
                   [](const record& a, const record& b) { return a.time < b.time; });
  return taken;
}

collection collecting::take_all() {
  collection taken;
  taken.records = take();
  const std::lock_guard lock(mutex_);
  taken.start = std::exchange(start_, now());
  taken.end = start_;
  for (auto& each : timers_) taken.timers.push_back(std::move(each.held));
  timers_.clear();
  taken.data.swap(data_);
  taken.dropped = std::exchange(dropped_, 0);
  return taken;
}

std::uint64_t collecting::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace detail

namespace {

std::shared_ptr<detail::collecting> make_collecting(collector_options options) {
  if (options.verbosity) options.level = std::max(options.level, level_from_number(*options.verbosity));
  const auto* const outer = detail::current_collecting();
  return std::make_shared<detail::collecting>(std::move(options), outer == nullptr ? nullptr : *outer);
}

}  // namespace

collector::collector(collector_options options)
    : state_(make_collecting(std::move(options))), bound_(detail::collecting_key(), state_) {}

collector::~collector() { state_->close(); }

std::vector<record> collector::take() { return state_->take(); }
collection collector::take_all() { return state_->take_all(); }
std::uint64_t collector::dropped() const noexcept { return state_->dropped(); }

timer::timer(std::string_view name) : timer(logger(), name) {}

timer::timer(const logger& of, std::string_view name) {
  if (!of) return;
  const auto started = of.state_->start_timer(name);
  if (started.number == 0) return;
  number_ = started.number;
  start_ = started.start;
  state_ = of.state_;
  from_ = steady_clock::now();
}

timer::~timer() { end(); }

std::optional<timer::span> timer::end() noexcept {
  if (state_ == nullptr) return std::nullopt;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - from_);
  std::exchange(state_, nullptr)->end_timer(number_, took);
  return span{start_, start_ + took};
}

void data(arguments values) noexcept { logger().data(values); }

}  // namespace weft::inline v1::log
