#include "store_contract/postgres_database.hpp"

#include <map>
#include <mutex>

#include <weft/jobs/store.hpp>

#include "support/pgbouncer_server.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_server.hpp"

namespace weft::store_contract_support {
namespace {

constexpr const char* worker_role = "weft_test_worker";

weft_test::postgres_server& server() {
  // Who is in whose way is found out sooner than after the second of PostgreSQL's own setting.
  static weft_test::postgres_server only({.connections_max = 300, .settings = {"deadlock_timeout=50ms"}});
  return only;
}

constexpr int pooler_sessions = 6;  // for the calls of a store, and some open transactions

const weft_test::pgbouncer_server& pooler() {
  static const weft_test::pgbouncer_server only(server().folder(), pooler_sessions);
  return only;
}

void run_on_server(const std::string& sql) {
  weft_test::with_connection(server().url(), [&](auto& session) { session.run(sql); });
}

/// Databases that were made so far, each for one test at a time: to empty one takes less than to make it.
class databases {
 public:
  /// One with empty tables, under the name that a test gives it.
  std::string take(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) free_.push_back(make());
    const std::string own = free_.back();
    free_.pop_back();
    taken_[name] = own;
    return own;
  }
  std::string of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return taken_.at(name);
  }
  void give_back(const std::string& name) {
    const std::string own = of(name);
    weft_test::with_connection(url_of(own), [](auto& session) {
      session.run(
          "DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class"
          " WHERE relnamespace = 'weft'::regnamespace AND relkind = 'r' AND relname NOT IN ('weft_meta', "
          "'weft_leader'));"
          " UPDATE weft.weft_leader SET worker = 0; END $$");
    });
    const std::lock_guard lock(mutex_);
    taken_.erase(name);
    free_.push_back(own);
  }
  static std::string url_of(const std::string& own) {
    std::string url = server().url();
    return url.replace(url.find("/postgres?"), std::string("/postgres").size(), "/" + own);
  }

 private:
  std::string make() {
    std::string own = "test_" + std::to_string(++made_);
    run_on_server("CREATE DATABASE " + own);
    if (made_ == 1) run_on_server("CREATE ROLE " + std::string(worker_role) + " LOGIN");
    (void)jobs::open_store(url_of(own));
    weft_test::with_connection(url_of(own), [](auto& session) {
      const std::string role = worker_role;
      session.run("SELECT weft.weft_grant('" + role + "', 'worker')");
      session.run("GRANT CREATE ON SCHEMA public TO " + role);  // the tables of a user's own
    });
    return own;
  }

  std::mutex mutex_;
  std::map<std::string, std::string> taken_;  // guarded by mutex_
  std::vector<std::string> free_;             // guarded by mutex_
  int made_ = 0;                              // guarded by mutex_
};

databases& all() {
  static databases only;
  return only;
}

}  // namespace

std::string postgres_url(const std::string& name) { return databases::url_of(all().of(name)); }

std::string as_worker(std::string url) { return url.replace(url.find("weft@"), 4, worker_role); }

std::string through_pooler(const std::string& url) {
  const std::size_t name = url.find('/', url.find("//") + 2);
  std::string way = pooler().url();
  const std::size_t other = way.find('/', way.find("//") + 2);
  return way.replace(other, way.find('?') - other, url.substr(name, url.find('?') - name));
}

std::string pooler_folder() { return pooler().folder(); }

std::string make_postgres_database(const std::string& name) { return databases::url_of(all().take(name)); }

void drop_postgres_database(const std::string& name) { all().give_back(name); }

}  // namespace weft::store_contract_support
