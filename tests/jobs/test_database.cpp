#include "jobs/test_database.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/writer_lock.hpp"
#include "store_contract/folder.hpp"

namespace weft::jobs {
namespace {

class sqlite_database final : public test_database {
 public:
  ~sqlite_database() override { std::filesystem::remove_all(folder_); }
  std::string url() override { return "sqlite:" + path(); }
  std::string other_url() override { return "sqlite:" + folder_ + "/other.db"; }
  void clear() override { std::filesystem::remove(path()); }
  void run(const std::string& sql) override {
    sqlite::writer_lock lock(path());
    const sqlite::writer_lock::guard held(lock, std::chrono::seconds(10));
    sqlite::connection database(path());
    database.begin(true, std::chrono::seconds(10));
    database.execute(sql.c_str(), "tamper");
    database.commit();
  }
  std::string literal(const std::string& bytes) const override { return "x'" + hex_of(bytes) + '\''; }
  std::string all_bytes() override {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      std::ifstream in(file.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(in), {});
    }
    return all;
  }

 private:
  std::string path() const { return folder_ + "/jobs.db"; }
  const std::string folder_ = store_contract_support::make_folder();
};

}  // namespace

std::string hex_of(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char one : bytes) {
    hex += digits[static_cast<unsigned char>(one) >> 4];
    hex += digits[static_cast<unsigned char>(one) & 15];
  }
  return hex;
}

bool test_database::is_postgres() {
  const char* const kind = std::getenv("WEFT_TEST_STORE");
  return kind != nullptr && std::string_view(kind) == "postgres";
}

std::unique_ptr<test_database> test_database::make() {
  if (!is_postgres()) return std::make_unique<sqlite_database>();
#ifdef WEFT_POSTGRES_PROGRAMS
  return make_postgres_test_database();
#else
  throw std::runtime_error("this build has no PostgreSQL");
#endif
}

}  // namespace weft::jobs
