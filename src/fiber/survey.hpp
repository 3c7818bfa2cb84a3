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
  explicit survey(dump_options options) : options_(options) {}

  /// Counts the fibers of `of` by what they do.
  void count(const scheduler& of);
  /// Decides which fibers are shown: the oldest. After count() of every scheduler.
  void choose();
  /// Keeps what there is to say of those of `of`; on its thread.
  void look(scheduler& of);

  std::string text() const;

 private:
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
