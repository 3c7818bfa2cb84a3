#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <weft/log/sink.hpp>

namespace signup {

/// A sink that keeps the program's records in memory, to tell the story of one request at the end.
class log_book final : public weft::log::sink {
 public:
  void accept(const std::shared_ptr<const weft::log::record>& one) noexcept override;
  bool flush(std::chrono::milliseconds) override { return true; }
  void pause(std::chrono::milliseconds) noexcept override {}
  std::uint64_t dropped() const noexcept override;
  weft::log::level threshold() const noexcept override { return weft::log::level::info; }

  /// The records written under that request id.
  std::vector<weft::log::record> of_request(std::string_view request_id) const;

 private:
  static constexpr std::size_t records_max = 100'000;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const weft::log::record>> records_;  // guarded by mutex_
  std::uint64_t dropped_ = 0;                                      // guarded by mutex_
};

/// Prints records as a timeline: milliseconds since the first, process, task, message, fields.
void print_timeline(const std::vector<weft::log::record>& records);

}  // namespace signup
