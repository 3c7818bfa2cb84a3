#include "dashboard/served_jobs.hpp"

#include <future>
#include <stdexcept>
#include <utility>

#include <sqlite3.h>

#include <weft/closure/services.hpp>
#include <weft/dashboard/site.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/sink.hpp>
#include <weft/wire/json_value.hpp>

#include "dashboard/every_answer.hpp"
#include "jobs/bare_connection.hpp"
#include "support/figure.hpp"
#include "support/many_jobs_sql.hpp"
#include "support/postgres_server.hpp"
#include "support/scratch_folder.hpp"

namespace weft::bench {

namespace {

run_options roomy() {
  run_options how;
  how.stack_bytes = 256 * 1024;
  return how;
}

const wire::json_value& member(const wire::json_value& of, const char* name) {
  const auto* const found = of.if_object() == nullptr ? nullptr : of.if_object()->find(name);
  if (found == nullptr) throw unavailable(std::string("an answer has no ") + name);
  return *found;
}

}  // namespace

/// Where the jobs are.
class served_jobs::database {
 public:
  virtual ~database() = default;
  virtual std::string url() const = 0;
  virtual void fill() = 0;
  static std::unique_ptr<database> make(const std::string& store);
};

namespace {

std::string many(bool in_postgres) {
  return weft_test::many_jobs_sql(in_postgres, static_cast<std::int64_t>(jobs_of_the_dashboard));
}

}  // namespace

std::unique_ptr<served_jobs::database> served_jobs::database::make(const std::string& store) {
  class in_sqlite final : public database {
   public:
    std::string url() const override { return "sqlite:" + path(); }
    void fill() override {
      sqlite3* filled = nullptr;
      sqlite3_open(path().c_str(), &filled);
      char* problem = nullptr;
      const std::string sql = "BEGIN; " + many(false) + "COMMIT";
      const bool is_done = sqlite3_exec(filled, sql.c_str(), nullptr, nullptr, &problem) == SQLITE_OK;
      const std::string why = problem == nullptr ? "" : problem;
      sqlite3_free(problem);
      sqlite3_close(filled);
      if (!is_done) throw unavailable("fill the database: " + why);
    }

   private:
    std::string path() const { return folder_ / "jobs.db"; }
    const weft_test::scratch_folder folder_;
  };
  class in_postgres final : public database {
   public:
    std::string url() const override {
      std::string host;
      for (const char one : server_.folder()) host += one == '/' ? std::string("%2F") : std::string(1, one);
      return "postgres://weft@" + host + "/postgres";
    }
    void fill() override {
      bare_connection by(url());
      by.run("SET search_path = weft; " + many(true));
      by.run("VACUUM ANALYZE");  // as a server does by itself, in its time
    }

   private:
    const weft_test::postgres_server server_{{.durable = true}};
  };
  if (store == "sqlite") return std::make_unique<in_sqlite>();
  return std::make_unique<in_postgres>();
}

served_jobs::served_jobs(const std::string& store) : database_(database::make(store)) {
  log::set_level(log::level::critical);  // each change is a record
  fill();
  std::promise<std::string> is_there;
  serves_ = std::thread([&] {
    try {
      serve([&](std::string url) { is_there.set_value(std::move(url)); });
    } catch (...) {
      is_there.set_exception(std::current_exception());
    }
  });
  try {
    url_ = is_there.get_future().get();
  } catch (...) {
    serves_.join();
    throw;
  }
  ask([&](http::client& by) {
    const auto newest = wire::parse_json(get(by, "/jobs?state=dead&limit=1"));
    const auto errors = wire::parse_json(get(by, "/errors"));
    group_ = *member(member(errors, "groups").if_list()->at(0), "key").if_text();
    answers_ =
        weft_test::every_answer(*member(member(newest, "jobs").if_list()->at(0), "id").if_text(), group_);
  });
}

served_jobs::~served_jobs() {
  ends_->set();
  serves_.join();
  log::set_level(level_before_);
}

/// One job of each kind by the queue, and many like them by the side.
void served_jobs::fill() {
  store_ = jobs::open_store(database_->url());
  jobs::queue queue(
      store_, {.name = "mail", .keys = std::make_shared<const wire::key_ring>(wire::key::generate("bench"))});
  queue.push(closure{named_closure<"many.done">([](int) {}), 1});
  queue.push(closure{named_closure<"many.dead">([](int) { throw std::runtime_error("no such host"); }), 1},
             {.max_attempts = 1});
  services app;
  run([&] { jobs::worker(queue, app, {.pass_on_logs = false}).run_due(); }, roomy());
  queue.push(closure{named_closure<"many.ready">([](int) {}), 1});
  database_->fill();
}

void served_jobs::serve(std::function<void(std::string url)> is_there) {
  run(
      [&] {
        dashboard::site shown(store_, {.operator_token = token});
        http::server server({.listen = "127.0.0.1:0"});
        shown.mount(server.routes(), "/jobs");
        server.start();
        is_there(server.url());
        ends_->wait();
        server.stop(std::chrono::milliseconds(0));
      },
      roomy());
}

void served_jobs::ask(const std::function<void(http::client&)>& body) const {
  run([&] {
    http::client client(url_);
    body(client);
  });
}

std::string served_jobs::get(http::client& by, const std::string& path) {
  const auto answer =
      by.get("/jobs/api" + path, {.headers = {{"Authorization", "Bearer " + std::string(token)}}});
  if (answer.status() != 200)
    throw unavailable("GET " + path + " is answered with " + std::to_string(answer.status()));
  return std::string(answer.body());
}

std::string served_jobs::post(http::client& by, const std::string& path, const std::string& body) {
  const auto answer = by.post(
      "/jobs/api" + path, body,
      {.content_type = "application/json", .headers = {{"Authorization", "Bearer " + std::string(token)}}});
  if (answer.status() != 200)
    throw unavailable("POST " + path + " is answered with " + std::to_string(answer.status()));
  return std::string(answer.body());
}

}  // namespace weft::bench
