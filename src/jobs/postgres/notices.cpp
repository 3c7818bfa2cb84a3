#include "jobs/postgres/notices.hpp"

#include <random>

// A notice is "<who> <what>": who sent it, as it need not hear it itself; w: there is work, e: jobs have
// ended.

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr const char* channel = "weft_jobs";

std::string random_name() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

}  // namespace

notices::notices(store_thread& on, const address& to, std::chrono::milliseconds poll_interval)
    : on_(on),
      poll_interval_(poll_interval),
      news_of_work_(random_name() + " w"),
      news_of_ends_(news_of_work_.substr(0, news_of_work_.size() - 1) + "e"),
      others_(to, {.channels = {channel},
                   .heard = [this](std::string_view, std::string_view payload) { hear(payload); },
                   .may_have_missed = [this] { ring_all(); }}) {
  on_.start("jobs: notices", [this] { others_.serve(); });
}

void notices::tell_of_work() {
  work_.ring();
  others_.ring(channel, news_of_work_);
}

void notices::tell_of_end(job_id id) {
  ends_.of(id).ring();
  others_.ring(channel, news_of_ends_);
}

void notices::tell_of_ends() {
  ends_.ring_all();
  others_.ring(channel, news_of_ends_);
}

void notices::listen() {
  on_.require_own();
  if (listens_.load(std::memory_order_relaxed) || listens_.exchange(true)) return;
  others_.listen();
  on_.start("jobs: looks for news", [this] { look_again_and_again(); });
}

void notices::look_again_and_again() {
  while (!stopped_) {
    ends_looking_.park_for(poll_interval_);
    ring_all();
  }
}

void notices::hear(std::string_view payload) {
  if (payload == news_of_work_ || payload == news_of_ends_) return;
  if (!payload.ends_with('e')) work_.ring();
  if (!payload.ends_with('w')) ends_.ring_all();
}

void notices::ring_all() {
  work_.ring();
  ends_.ring_all();
}

void notices::stop() {
  stopped_ = true;
  ends_looking_.unpark();
  others_.close();
}

}  // namespace weft::inline v1::jobs::postgres
