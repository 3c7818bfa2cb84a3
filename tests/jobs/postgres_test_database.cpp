#include <string>

#include "jobs/test_database.hpp"
#include "store_contract/postgres_database.hpp"
#include "support/postgres_link.hpp"

namespace weft::jobs {
namespace {

namespace support = store_contract_support;

class postgres_database final : public test_database {
 public:
  ~postgres_database() override {
    if (!name_.empty()) support::drop_postgres_database(name_);
    if (!other_.empty()) support::drop_postgres_database(other_);
  }
  std::string url() override { return url_of(name_); }
  std::string other_url() override { return url_of(other_); }
  void clear() override {
    support::drop_postgres_database(name_);
    name_.clear();
  }
  void run(const std::string& sql) override {
    weft_test::with_connection(support::postgres_url(name_),
                               [&](auto& session) { session.run_script("SET search_path = weft; " + sql); });
  }
  std::string literal(const std::string& bytes) const override { return "'\\x" + hex_of(bytes) + "'::bytea"; }
  std::string all_bytes() override {
    std::string all;
    weft_test::with_connection(support::postgres_url(name_), [&](auto& session) {
      session.run_script("SET search_path = weft; SET bytea_output = escape");
      const auto tables = session.run(
          "SELECT relname::text FROM pg_class WHERE relnamespace = 'weft'::regnamespace AND relkind = 'r'");
      for (std::size_t row = 0; row < tables.rows(); ++row) {
        all += session
                   .run("SELECT coalesce(string_agg(one::text, ' '), '') FROM " +
                        std::string(tables.text(row, 0)) + " one")
                   .text(0, 0);
      }
    });
    return all;
  }

 private:
  static std::string url_of(std::string& name) {
    static int made = 0;
    if (name.empty()) {
      name = "queue " + std::to_string(++made);
      return support::as_worker(support::make_postgres_database(name));
    }
    return support::as_worker(support::postgres_url(name));
  }
  std::string name_;
  std::string other_;
};

}  // namespace

std::unique_ptr<test_database> make_postgres_test_database() { return std::make_unique<postgres_database>(); }

}  // namespace weft::jobs
