#include "jobs/sqlite_helpers.hpp"

#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <optional>

#include <sqlite3.h>
#include <sys/resource.h>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/schema.hpp"

namespace weft::jobs {
namespace {

constexpr int refused_as_expected = 42;
constexpr uid_t nobody = 65534;

class sqlite_places : public sqlite_test {};

/// Root may write anywhere, so what depends on permissions is tried as somebody else.
int as_nobody(const std::function<int()>& body) {
  return in_child([&] {
    if (::geteuid() == 0 && ::setuid(nobody) != 0) return 1;
    return body();
  });
}

int expect_refused(const std::string& url, const std::string& why) {
  try {
    (void)open_store(url);
  } catch (const error& refused) {
    const bool names_it = refused.message().find(url.substr(7)) != std::string::npos;
    const bool says_why = refused.message().find(why) != std::string::npos;
    if (refused.code() == errc::refused && names_it && says_why) return refused_as_expected;
    (void)!::write(2, refused.what(), refused.message().size());
  }
  return 2;
}

TEST_F(sqlite_places, nothing_is_made_for_who_only_looks) {
  const auto look = [&] { (void)open_store("sqlite:" + path_, {.prepare = false}); };
  EXPECT_EQ(failure_of(look).code(), errc::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));

  std::ofstream(path_).close();
  EXPECT_EQ(failure_of(look).code(), errc::not_found) << "an empty file has no tables";
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);

  std::ofstream(path_) << "a letter, and no database, which is longer than the head of one: "
                       << std::string(200, '.');
  EXPECT_EQ(failure_of(look).code(), errc::corrupt);
}

TEST_F(sqlite_places, older_tables_are_left_as_they_are_by_who_only_looks) {
  (void)open();
  {
    sqlite::connection changed(path_);
    changed.execute("UPDATE weft_meta SET value = 1 WHERE name = 'schema_version'", "say it is older");
  }
  const error refused = failure_of([&] { (void)open_store("sqlite:" + path_, {.prepare = false}); });
  EXPECT_EQ(refused.code(), errc::unsupported);
  EXPECT_NE(refused.message().find("weft db migrate"), std::string::npos) << refused.message();
}

TEST_F(sqlite_places, a_database_of_others_is_left_as_it_is_by_who_only_looks) {
  {
    sqlite::connection theirs(path_);
    theirs.execute("CREATE TABLE theirs (word TEXT); INSERT INTO theirs VALUES ('kept')", "make a table");
  }
  const auto bytes_of = [](const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = bytes_of(path_);
  const std::string log_before = bytes_of(path_ + "-wal");
  EXPECT_FALSE(log_before.empty());
  const error refused = failure_of([&] { (void)open_store("sqlite:" + path_, {.prepare = false}); });
  EXPECT_EQ(refused.code(), errc::not_found);
  EXPECT_EQ(bytes_of(path_), before);
  EXPECT_EQ(bytes_of(path_ + "-wal"), log_before);
}

TEST_F(sqlite_places, who_only_looks_finds_what_is_there) {
  (void)open();
  EXPECT_TRUE(open_store("sqlite:" + path_, {.prepare = false})->stats().empty());
}

TEST_F(sqlite_places, a_directory_is_refused_by_name) {
  std::filesystem::create_directory(path_);
  const error refused = failure_of([&] { (void)open(); });
  EXPECT_EQ(refused.code(), errc::invalid_argument);
  EXPECT_NE(refused.message().find(path_ + "\": it is a directory"), std::string::npos) << refused.message();
}

TEST_F(sqlite_places, a_missing_directory_is_named) {
  const error refused = failure_of([&] { (void)open_store("sqlite:" + folder_ + "/missing/jobs.db"); });
  EXPECT_EQ(refused.code(), errc::not_found);
  EXPECT_NE(refused.message().find("/missing\" does not exist"), std::string::npos) << refused.message();
}

TEST_F(sqlite_places, a_path_below_a_file_is_refused) {
  std::ofstream(folder_ + "/file") << "text";
  const error refused = failure_of([&] { (void)open_store("sqlite:" + folder_ + "/file/jobs.db"); });
  EXPECT_EQ(refused.code(), errc::not_found);
}

TEST_F(sqlite_places, a_device_and_an_empty_path_are_refused) {
  EXPECT_EQ(failure_of([&] { (void)open_store("sqlite:/dev/zero"); }).code(), errc::invalid_argument);
  EXPECT_EQ(failure_of([&] { (void)open_store("sqlite:"); }).code(), errc::invalid_argument);
  EXPECT_EQ(failure_of([&] { (void)open_store("mysql:x"); }).code(), errc::invalid_argument);
}

TEST_F(sqlite_places, a_file_that_is_no_database_is_corrupt_and_stays_as_it_is) {
  const std::string text = "this is a letter, and a long one too, so that it could be a header\n";
  std::ofstream(path_) << text << text << text;
  const error refused = failure_of([&] { (void)open(); });
  EXPECT_EQ(refused.code(), errc::corrupt) << refused.message();
  EXPECT_NE(refused.message().find(path_), std::string::npos) << refused.message();
  EXPECT_EQ(std::filesystem::file_size(path_), 3 * text.size());
}

TEST_F(sqlite_places, a_read_only_file_is_refused_with_path_and_reason) {
  { push(*open(), 1); }
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  std::filesystem::permissions(path_, std::filesystem::perms(0444));
  const int status = as_nobody([&] { return expect_refused("sqlite:" + path_, "read-only"); });
  EXPECT_EQ(WEXITSTATUS(status), refused_as_expected);
}

TEST_F(sqlite_places, a_directory_that_is_not_writable_is_refused) {
  std::filesystem::permissions(folder_, std::filesystem::perms(0555));
  const int status = as_nobody([&] { return expect_refused("sqlite:" + path_, "is not writable"); });
  std::filesystem::permissions(folder_, std::filesystem::perms(0700));
  EXPECT_EQ(WEXITSTATUS(status), refused_as_expected);
}

TEST_F(sqlite_places, a_newer_schema_is_refused_naming_both_versions) {
  { (void)open(); }
  {
    sqlite::connection database(path_);
    database.execute("UPDATE weft_meta SET value = 7777 WHERE name = 'schema_version'",
                     "pretend to be newer");
  }
  const error refused = failure_of([&] { (void)open(); });
  EXPECT_EQ(refused.code(), errc::unsupported);
  EXPECT_NE(refused.message().find("version 7777"), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find("up to " + std::to_string(sqlite::schema_version)), std::string::npos)
      << refused.message();
}

TEST_F(sqlite_places, a_connection_used_after_fork_ends_the_child) {
  sqlite::connection database(path_);
  const int status = in_child([&] {
    ::signal(SIGABRT, SIG_DFL);
    ::close(2);
    database.assert_own_process();
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

TEST_F(sqlite_places, a_full_disk_is_an_error_of_the_push_and_loses_nothing) {
  const int status = in_child([&] {
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto full = open();
    std::int64_t id = 0;
    const error failed = failure_of([&] {
      for (;; ++id) push(*full, id + 1);
    });
    if (failed.code() != errc::storage_full || id < 10) throw failed;
    std::ofstream(folder_ + "/acknowledged") << id;
    return full->find(job_id{id}) ? refused_as_expected : 2;
  });
  ASSERT_EQ(WEXITSTATUS(status), refused_as_expected);
  std::int64_t acknowledged = 0;
  std::ifstream(folder_ + "/acknowledged") >> acknowledged;
  const auto after = open();
  EXPECT_EQ(after->stats().at(0).ready, acknowledged);
  push(*after, acknowledged + 1);
}

/// Has the whole database locked, as a connection has for a moment while it opens or recovers it.
class locked_database {
 public:
  explicit locked_database(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle_), SQLITE_OK);
    run("PRAGMA locking_mode=EXCLUSIVE");
    run("BEGIN IMMEDIATE");
  }
  locked_database(const locked_database&) = delete;
  locked_database& operator=(const locked_database&) = delete;
  ~locked_database() { sqlite3_close(handle_); }

 private:
  void run(const char* sql) {
    EXPECT_EQ(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle_);
  }
  sqlite3* handle_ = nullptr;
};

TEST_F(sqlite_places, what_is_there_is_opened_once_another_process_lets_it) {
  push(*open(), 1);
  auto other = std::make_optional<locked_database>(path_);
  std::promise<void> tries;
  auto opened = std::async(std::launch::async, [&] {
    tries.set_value();
    return open_store("sqlite:" + path_, {.prepare = false})->stats().size();
  });
  tries.get_future().wait();
  // Nobody can see it wait; where it has not tried yet this shows less, and does not fail.
  EXPECT_EQ(opened.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  other.reset();
  EXPECT_EQ(opened.get(), 1U);
}

}  // namespace
}  // namespace weft::jobs
