#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <weft/log/sink.hpp>

namespace notes {

/// A sink that looks at each record: is the user in its context the one who asked?
///
/// Request ids and notes of the demo read USER.NUMBER, so a record tells by itself whose it is.
class watcher final : public weft::log::sink {
 public:
  void accept(const std::shared_ptr<const weft::log::record>& one) noexcept override;
  bool flush(std::chrono::milliseconds) override { return true; }
  void pause(std::chrono::milliseconds) noexcept override {}
  std::uint64_t dropped() const noexcept override { return 0; }
  weft::log::level threshold() const noexcept override { return weft::log::level::info; }

  struct findings {
    std::uint64_t records = 0;
    std::uint64_t mixed = 0;    ///< of another user than the one who asked, or of none
    std::string first_mixed{};  ///< as text
  };
  findings found() const;

 private:
  mutable std::mutex mutex_;
  findings found_;  // guarded by mutex_
};

}  // namespace notes
