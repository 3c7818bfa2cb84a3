#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/trace/recorder.hpp>

namespace weft::trace::testing {

/// The recorder of the process while it lives.
class recording {
 public:
  explicit recording(recorder_options options = {})
      : mine_(std::make_shared<recorder>(options)), former_(exchange_recorder(mine_)) {}
  recording(const recording&) = delete;
  recording& operator=(const recording&) = delete;
  ~recording() { exchange_recorder(std::move(former_)); }

  recorder* operator->() const { return mine_.get(); }

 private:
  std::shared_ptr<recorder> mine_;
  std::shared_ptr<recorder> former_;
};

inline const finished_span* find_span(const std::vector<finished_span>& among, std::string_view name) {
  for (const auto& one : among) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace weft::trace::testing
