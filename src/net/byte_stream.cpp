#include <weft/net/byte_stream.hpp>

namespace weft::inline v1::net {

transfer_error::transfer_error(const error& why, std::size_t bytes)
    : error(why.code(), why.message() + ", after " + std::to_string(bytes) + " bytes"), bytes_(bytes) {}

transfer byte_stream::read_exactly_until(std::span<char> into, steady_time until) {
  std::size_t done = 0;
  try {
    while (done < into.size()) {
      const auto count = read_some_until(into.subspan(done), until);
      if (!count) return {done, transfer_end::timed_out};
      if (*count == 0) return {done, transfer_end::end_of_stream};
      done += *count;
    }
  } catch (const error& failed) {
    if (done == 0) throw;
    throw transfer_error(failed, done);
  }
  return {done, transfer_end::complete};
}

}  // namespace weft::inline v1::net
