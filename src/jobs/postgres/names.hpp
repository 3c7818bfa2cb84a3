#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"

namespace weft::inline v1::jobs::postgres {

/// The numbers of queues and closures, as far as this process has met them: they never change.
///
/// One loop, any of its fibers.
class names {
 public:
  struct line {
    std::int64_t queue = 0;
    std::int64_t handler = 0;
  };

  /// Makes sure that the names of these jobs have numbers, in a transaction of its own.
  void know(caller& by, std::span<const new_job* const> jobs);
  bool knows(const new_job& job) const { return lines_.contains(pair{job.queue, job.handler}); }
  /// The numbers of one of those.
  line line_of(const new_job& job) const;

  /// A closure that a claim told of.
  void learn(std::int64_t handler, std::string_view identity);
  const std::unordered_map<std::int64_t, std::string>& identities() const noexcept { return identities_; }
  const std::string& identity_of(std::int64_t handler) const;

 private:
  using pair = std::pair<std::string_view, std::string_view>;
  struct by_pair {
    using is_transparent = void;
    bool operator()(const auto& left, const auto& right) const {
      return pair(left.first, left.second) < pair(right.first, right.second);
    }
  };
  std::map<std::pair<std::string, std::string>, line, by_pair> lines_;
  std::unordered_map<std::int64_t, std::string> identities_;
};

}  // namespace weft::inline v1::jobs::postgres
