#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

#include "jobs/postgres/link/parameters.hpp"

namespace weft::inline v1::jobs::postgres {

/// Which statements a connection has prepared.
///
/// A statement's name is made of its text and the types of its parameters. So where a pooler hands one server
/// connection to several clients, a name never means another statement than the one meant.
class statement_cache {
 public:
  static constexpr std::size_t prepared_max = 256;

  static std::string name_of(std::string_view sql, const parameters& with);

  bool has(const std::string& name) const { return names_.contains(name); }
  bool has_room() const noexcept { return !off_ && names_.size() < prepared_max; }
  void add(const std::string& name) { names_.insert(name); }
  void remove(const std::string& name) { names_.erase(name); }

  /// Prepares nothing from now on: a pooler loses or mixes up what was prepared.
  void turn_off() {
    off_ = true;
    names_.clear();
  }
  bool is_off() const noexcept { return off_; }

 private:
  std::unordered_set<std::string> names_;
  bool off_ = false;
};

}  // namespace weft::inline v1::jobs::postgres
