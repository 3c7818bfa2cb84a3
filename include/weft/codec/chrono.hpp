#pragma once

#include <chrono>
#include <ratio>

#include <weft/codec/value.hpp>

namespace weft::inline v1 {
namespace detail {

[[noreturn]] void throw_no_nanoseconds();
[[noreturn]] void throw_not_whole(decoder& in, std::intmax_t numerator, std::intmax_t denominator);

}  // namespace detail

/// A duration of whole ticks is its count of nanoseconds (about 292 years either way); read into a
/// coarser type it must be a whole number of its ticks. One of fractional ticks is seconds as f64.
template <typename Rep, typename Period>
struct codec<std::chrono::duration<Rep, Period>> {
  using value_type = std::chrono::duration<Rep, Period>;
  // nanoseconds per tick = up / down
  using factor = std::ratio_divide<Period, std::nano>;
  static constexpr bool fractional = std::chrono::treat_as_floating_point_v<Rep>;

  static void encode(encoder& out, const value_type& value) {
    if constexpr (fractional) {
      out.number(std::chrono::duration<double>(value).count());
    } else {
      static_assert(factor::den == 1, "weft codec: this duration has ticks finer than a nanosecond");
      std::int64_t count = 0;
      if (__builtin_mul_overflow(value.count(), factor::num, &count)) detail::throw_no_nanoseconds();
      out.integer(count);
    }
  }
  static void decode(decoder& in, value_type& into) {
    if constexpr (fractional) {
      into = std::chrono::duration_cast<value_type>(std::chrono::duration<double>(in.number()));
    } else {
      using limits = std::numeric_limits<Rep>;
      const std::int64_t count = in.integer();
      if (count % factor::num != 0) detail::throw_not_whole(in, Period::num, Period::den);
      const std::int64_t ticks = count / factor::num;
      if (ticks < limits::min() || ticks > limits::max()) in.fail("out of range for this duration");
      into = value_type(static_cast<Rep>(ticks));
    }
  }
  static void schema(schema_writer& out) { out.write(fractional ? "seconds" : "duration"); }
};

/// A point of the wall clock is nanoseconds since 1970 in UTC. Points of other clocks mean nothing in
/// another process and are not encodable.
template <typename Duration>
struct codec<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  using value_type = std::chrono::time_point<std::chrono::system_clock, Duration>;

  static void encode(encoder& out, const value_type& value) {
    codec<Duration>::encode(out, value.time_since_epoch());
  }
  static void decode(decoder& in, value_type& into) {
    Duration since{};
    codec<Duration>::decode(in, since);
    into = value_type(since);
  }
  static void schema(schema_writer& out) { out.write("time"); }
};

}  // namespace weft::inline v1
