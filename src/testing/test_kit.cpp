#include <weft/testing/test_kit.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/store.hpp>

#include "testing/drain.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::size_t jobs_shown_max = 20;  // in a message

queue_options with_test_world(queue_options options, const test_clock& clock) {
  options.clock = &clock;
  if (options.keys == nullptr)
    options.keys = std::make_shared<const wire::key_ring>(wire::key::generate("test"));
  if (options.secret_keys == nullptr) options.secret_keys = options.keys;
  return options;
}

test_kit_options checked(test_kit_options options) {
  if (options.worker.concurrency != worker_options{}.concurrency) {
    throw error(
        errc::invalid_argument,
        "jobs: make a test kit: its concurrency is test_kit_options::concurrency, not that of its worker");
  }
  options.worker.concurrency = options.concurrency;
  options.worker.pass_on_logs = options.pass_on_logs;
  return options;
}

}  // namespace

test_kit::test_kit(services& app, test_kit_options options)
    : app_(app),
      options_(checked(std::move(options))),
      queue_("memory:", with_test_world(options_.queue, clock_)) {}

drain_report test_kit::work(const std::function<void(jobs::drain&)>& body) {
  drain_report report;
  const auto here = [&] {
    jobs::drain one(queue_, app_, options_.worker, options_.attempts_max);
    body(one);
    report = one.report();
  };
  if (this_fiber::in_fiber()) {
    here();
  } else {
    run(here, options_.run);
  }
  return report;
}

drain_report test_kit::drain() {
  return work([](jobs::drain& one) { one.run_due(); });
}

drain_report test_kit::advance(std::chrono::microseconds by) {
  return work([&](jobs::drain& one) {
    const moment until = clock_.now() + by;
    for (;;) {
      const auto heard = queue_.kept_in().bell();
      one.run_due();
      if (clock_.now() >= until) return;
      pass(std::min(one.next_due().value_or(until), until), heard);
    }
  });
}

void test_kit::pass(moment to, std::uint64_t heard) {
  const moment from = clock_.now();
  if (!simulation::active()) return clock_.set(std::max(to, from));
  const auto begun = steady_clock::now();
  queue_.kept_in().wait_bell(heard, deadline_after(to - from));
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
  clock_.set(std::min(to, from + passed));
}

std::vector<job_info> test_kit::pushed() {
  list_filter any;
  any.limit = std::numeric_limits<std::size_t>::max();
  auto all = queue_.list(any);
  std::reverse(all.begin(), all.end());
  return all;
}

std::vector<job_info> test_kit::pushed(const job_pattern& of) {
  auto all = pushed();
  std::erase_if(all, [&](const job_info& one) { return !of.fits(one); });
  return all;
}

job_info test_kit::assert_pushed(const job_pattern& of) {
  auto found = pushed(of);
  if (found.empty()) fail("a job of " + of.text());
  return std::move(found.back());
}

void test_kit::assert_pushed(const job_pattern& of, std::size_t count) {
  const std::size_t found = pushed(of).size();
  if (found != count)
    fail(std::to_string(count) + " jobs of " + of.text() + " (there are " + std::to_string(found) + ")");
}

void test_kit::assert_nothing_pushed() {
  if (!pushed().empty()) fail("no job");
}

void test_kit::fail(const std::string& expected) {
  const auto all = pushed();
  std::string text = "jobs: expected was " + expected + "; pushed were " + std::to_string(all.size());
  for (std::size_t index = 0; index < all.size(); ++index) {
    if (index == jobs_shown_max) {
      text += "\n  ...";
      break;
    }
    const job_info& one = all[index];
    text += "\n  " + one.closure + " with " + one.arguments + " in queue " + one.queue;
  }
  throw test_failure(std::move(text));
}

}  // namespace weft::inline v1::jobs
