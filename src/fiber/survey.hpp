#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <source_location>
#include <string>
#include <vector>

#include <weft/core/stack_trace.hpp>
#include <weft/fiber/dump.hpp>

namespace weft::detail {

class fiber_block;
class inspection;
class scheduler;

/// What dump_fibers() and the deadlock report tell of the fibers of a run.
///
/// Of all fibers only ids are kept; after choose(), the details of those that will be shown.
class survey {
 public:
  /// What there is to say of the fibers of these loops of one run; called on the thread of one of them,
  /// whose fibers are shown with their stacks.
  static std::string of(const std::vector<scheduler*>& loops, dump_options options);

 private:
  explicit survey(dump_options options) : options_(options) {}

  /// Counts the fibers by what they do.
  void count(const std::vector<scheduler*>& loops);
  /// Decides which fibers are shown: the oldest.
  void choose();
  /// Keeps what there is to say of those.
  void look(const std::vector<scheduler*>& loops);
  std::string text() const;

  struct known {
    std::uint64_t id;
    std::uint64_t parent_id;
  };
  struct details {
    std::string name = {};
    std::string state = {};  // "waits in channel::pop"
    std::source_location made_at = {};
    std::size_t stack_bytes = 0;  // 0: has no stack
    std::size_t stack_used = 0;
    std::size_t stack_high_water = 0;
    stack_trace trace = {};
  };
  static std::string state_of(const scheduler& of, const fiber_block& one);
  details describe(const scheduler& of, fiber_block& one, inspection& stacks) const;
  const known* find(std::uint64_t id) const noexcept;
  std::string title(std::uint64_t id) const;
  std::string makers(const known& one) const;
  std::string stack_line(const details& one) const;

  dump_options options_;
  std::vector<known> all_;  // by id once chosen
  std::map<std::string, std::size_t> states_;
  std::size_t shown_ = 0;                     // the first that many of all_
  std::map<std::uint64_t, details> details_;  // of the shown ones and their makers
};

}  // namespace weft::detail
