#pragma once

#include <memory>
#include <string>

#include "jobs/copy/copy_end.hpp"
#include "jobs/postgres/link/connection.hpp"
#include "jobs/postgres/link/store_thread.hpp"

namespace weft::inline v1::jobs::postgres {

/// A server's database of a copy, whose tables nobody else changes meanwhile: it has locked them. Its role
/// must be the owner of the schema.
class copy_end final : public jobs::copy_end {
 public:
  copy_end(const std::string& url, copy_side side);
  ~copy_end() override;

  std::string shown() const override { return address_.shown(); }
  void read(const copied_table& from, const std::function<void(sql_rows& rows)>& page) override;
  void write(const copied_table& to, const sql_rows& rows) override;
  std::int64_t count(const copied_table& of) override;
  sql_rows counts() override;
  void complete() override;
  void commit() override;

 private:
  result run(const std::string& sql, const parameters& with = {});

  const address address_;
  store_thread thread_;
  std::unique_ptr<connection> connection_;  // the thread's
};

}  // namespace weft::inline v1::jobs::postgres
