#include <weft/net/buffered_reader.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::net {

namespace {

constexpr std::size_t first_bytes = 4096;
constexpr std::size_t kept_bytes_max = std::size_t{64} * 1024;

}  // namespace

buffered_reader::buffered_reader(byte_stream& from, std::size_t bytes_max)
    : from_(from), bytes_max_(std::max<std::size_t>(bytes_max, 1)) {}

// Only where less than bytes_max lies there, so there is room, or can be.
transfer_end buffered_reader::fill(steady_time until) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (data_.size() > kept_bytes_max) data_ = {};
  }
  if (end_ == data_.size() && begin_ > 0) {
    std::copy(data_.begin() + static_cast<std::ptrdiff_t>(begin_), data_.end(), data_.begin());
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == data_.size())
    data_.resize(std::clamp(2 * data_.size(), first_bytes, std::max(first_bytes, bytes_max_)));
  const auto count = from_.read_some_until(std::span(data_).subspan(end_), until);
  if (!count) return transfer_end::timed_out;
  end_ += *count;
  return *count == 0 ? transfer_end::end_of_stream : transfer_end::complete;
}

piece buffered_reader::take(std::size_t count, transfer_end end) noexcept {
  const piece taken{buffered().substr(0, count), end};
  begin_ += count;
  return taken;
}

piece buffered_reader::incomplete(transfer_end why) noexcept {
  return why == transfer_end::end_of_stream ? take(buffered().size(), why) : piece{buffered(), why};
}

piece buffered_reader::read_until(std::string_view delimiter, steady_time until) {
  if (delimiter.empty()) throw error(errc::invalid_argument, "read_until: the delimiter is empty");
  std::size_t searched = 0;
  while (true) {
    const std::size_t found = buffered().find(delimiter, searched);
    if (found != std::string_view::npos && found + delimiter.size() <= bytes_max_)
      return take(found + delimiter.size(), transfer_end::complete);
    if (found != std::string_view::npos || buffered().size() >= bytes_max_) {
      throw error(errc::too_large,
                  "read_until: the delimiter did not come within " + std::to_string(bytes_max_) + " bytes");
    }
    searched = buffered().size() - std::min(buffered().size(), delimiter.size() - 1);
    if (const auto end = fill(until); end != transfer_end::complete) return incomplete(end);
  }
}

piece buffered_reader::read_exactly(std::size_t count, steady_time until) {
  if (count > bytes_max_) {
    throw error(errc::too_large, "read_exactly: " + std::to_string(count) + " bytes, but " +
                                     std::to_string(bytes_max_) + " are the most");
  }
  while (buffered().size() < count) {
    if (const auto end = fill(until); end != transfer_end::complete) return incomplete(end);
  }
  return take(count, transfer_end::complete);
}

piece buffered_reader::read_some(steady_time until) {
  while (buffered().empty()) {
    if (const auto end = fill(until); end != transfer_end::complete) return {{}, end};
  }
  return take(buffered().size(), transfer_end::complete);
}

}  // namespace weft::inline v1::net
