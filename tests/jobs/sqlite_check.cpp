#include <weft/jobs/maintenance.hpp>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite_helpers.hpp"

// What check_database finds of what weft never does to its tables.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using problems = std::vector<std::string>;

class sqlite_check : public sqlite_test {
 protected:
  /// Jobs with all that the tables keep beside them: 1 and 2 wait and expire, 3 is given up.
  void make_file() const {
    const auto kept = open();
    auto one = job(1);
    one.expires = moment(1h);
    one.tags = {"eu"};
    one.unique = unique_key{"key"};
    one.limit = limit_options{"ten\nant", 1};
    kept->push({&one, 1});
    auto behind = job(2);
    behind.run_at = behind.created + 1h;
    behind.expires = moment(2h);
    behind.after = {{job_id{1}, false}};
    kept->push({&behind, 1});
    push(*kept, 3);
    kept->cancel(job_id{3}, moment(1s));
  }
  problems found_after(const std::string& damage) const {
    sqlite::connection database(path_);
    database.begin(true, 1s);
    database.execute(damage.c_str(), "damage");
    database.commit();
    return check_database("sqlite:" + path_).problems;
  }
};

TEST_F(sqlite_check, damage_is_found_and_named) {
  make_file();
  ASSERT_EQ(check_database("sqlite:" + path_).problems, problems{});
  const std::string tags = " does not know rightly whether it has tags";
  const std::string expiry = " does not know rightly whether it is to expire";
  const std::string key = " does not know rightly whether it has a unique key";
  const std::string unseen = " waits and is to expire, and nobody would see to it";
  const struct {
    const char* damage;
    const char* repair;
    problems found;
  } cases[] = {
      {"DELETE FROM weft_expiry",
       "INSERT INTO weft_expiry SELECT id, expires FROM weft_job WHERE expires IS NOT NULL",
       {"1" + unseen, "2" + unseen}},
      {"UPDATE weft_expiry SET expires = expires + 1 WHERE job = 2",
       "UPDATE weft_expiry SET expires = expires - 1 WHERE job = 2",
       {"2" + unseen}},
      {"UPDATE weft_ready SET flags = flags & ~8", "UPDATE weft_ready SET flags = flags | 8", {"1" + tags}},
      {"UPDATE weft_dead SET flags = flags | 8", "UPDATE weft_dead SET flags = flags & ~8", {"3" + tags}},
      {"UPDATE weft_blocked SET flags = flags & ~16",
       "UPDATE weft_blocked SET flags = flags | 16",
       {"2" + expiry}},
      {"UPDATE weft_dead SET flags = flags | 16", "UPDATE weft_dead SET flags = flags & ~16", {"3" + expiry}},
      {"UPDATE weft_ready SET flags = flags & ~1", "UPDATE weft_ready SET flags = flags | 1", {"1" + key}},
      {"UPDATE weft_ready SET flags = flags & ~2",
       "UPDATE weft_ready SET flags = flags | 2",
       {"1 does not know that others wait for it"}},
      {"UPDATE weft_blocked SET flags = flags & ~4",
       "UPDATE weft_blocked SET flags = flags | 4",
       {"2 does not know that it waits for others"}},
      {"UPDATE weft_limit SET jobs = 2",
       "UPDATE weft_limit SET jobs = 1",
       {"limit \"ten\\nant\" counts other jobs than it has"}},
      {"UPDATE weft_limit SET running = 1",
       "UPDATE weft_limit SET running = 0",
       {"limit \"ten\\nant\" counts other jobs than run"}},
      {"UPDATE weft_limit SET id = id + 1",
       "UPDATE weft_limit SET id = id - 1",
       {"1 is a job of a limit that is not there", "limit \"ten\\nant\" counts other jobs than it has"}},
      {"UPDATE weft_count SET jobs = jobs + 1",
       "UPDATE weft_count SET jobs = jobs - 1",
       {"queue \"mail\" counts other jobs than it has"}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(found_after(one.damage), one.found) << one.damage;
    EXPECT_EQ(found_after(one.repair), problems{}) << one.repair;
  }
}

}  // namespace
}  // namespace weft::jobs
