#pragma once

#include <memory>

#include <weft/log/sink.hpp>

#include "cli/work.hpp"

namespace weft::inline v1::cli {

/// Where `weft work` writes its log, which may be changed while it works.
///
/// One thread.
class work_log {
 public:
  /// Writes as the options say. Throws weft::error where the file cannot be opened.
  explicit work_log(const work_options& how);

  /// A sink that writes as these say; null where the one on stderr that is there without any does. Throws as
  /// the constructor, and nothing is changed.
  std::shared_ptr<log::sink> open(const work_options& how) const;
  /// Writes there from here on; the former one writes what it has.
  void write_to(std::shared_ptr<log::sink> next, const work_options& how);

 private:
  std::shared_ptr<log::sink> in_use_;  // null: the one that is there without any
};

}  // namespace weft::inline v1::cli
