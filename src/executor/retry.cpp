#include <weft/executor/retry.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include <weft/context/cancellation.hpp>
#include <weft/core/oracle.hpp>

namespace weft::inline v1 {
namespace {

bool is_worth_it(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& known) {
    return known.code() == errc::unknown || is_retryable(known.code());
  } catch (const unwinding&) {
    return false;
  } catch (...) {
    return true;
  }
}

double draw() {
  if (detail::oracle* const simulation = detail::oracle::current()) {
    return static_cast<double>(simulation->choose(1024)) / 1024;
  }
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

std::chrono::microseconds retry_policy::wait_after(std::size_t failed, double random) const {
  const double exponent = static_cast<double>(std::max<std::size_t>(failed, 1) - 1);
  const double plain = static_cast<double>(first.count()) * std::pow(base, exponent);
  const double bounded = std::min(plain, static_cast<double>(longest.count()));
  return std::chrono::microseconds(static_cast<std::int64_t>(bounded * (1 + jitter * random)));
}

namespace detail {

retry_progress::retry_progress(retry_policy policy) : policy_(std::move(policy)) {}

bool retry_progress::goes_on_after(const std::exception_ptr& error) {
  last_ = error;
  ++failed_;
  if (is_stop(error) || failed_ >= policy_.attempts_max || cancellation_requested()) return false;
  if (policy_.retry_if ? !policy_.retry_if(error) : !is_worth_it(error)) return false;
  due_ = deadline_after(policy_.wait_after(failed_, policy_.jitter > 0 ? draw() : 0));
  const auto until = deadline();
  return !until || due_ < *until;
}

}  // namespace detail
}  // namespace weft::inline v1
