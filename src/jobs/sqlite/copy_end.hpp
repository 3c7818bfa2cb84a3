#pragma once

#include <optional>
#include <string>

#include "jobs/copy/copy_end.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/writer_lock.hpp"

namespace weft::inline v1::jobs::sqlite {

/// A file of a copy. It is the only writer meanwhile, also of one that it reads.
class copy_end final : public jobs::copy_end {
 public:
  copy_end(const std::string& path, copy_side side);
  ~copy_end() override;

  std::string shown() const override { return "\"" + connection_.path() + "\""; }
  void read(const copied_table& from, const std::function<void(sql_rows& rows)>& page) override;
  void write(const copied_table& to, const sql_rows& rows) override;
  std::int64_t count(const copied_table& of) override;
  sql_rows counts() override;
  void complete() override;
  void commit() override;

 private:
  connection connection_;
  writer_lock lock_;
  writer_lock::guard held_;
};

}  // namespace weft::inline v1::jobs::sqlite
