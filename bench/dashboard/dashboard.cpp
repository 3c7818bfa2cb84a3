// The dashboard over a million jobs: how long each answer of its API takes, and each view in Chromium, from
// the click to its last row. The first figures fill the database.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <weft/process/exec.hpp>
#include <weft/wire/json_value.hpp>

#include "dashboard/every_answer.hpp"
#include "dashboard/served_jobs.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using namespace std::chrono_literals;

constexpr int asked_in_a_run = 10;
constexpr double answer_ms_max = 100;
constexpr double view_ms_max = 1000;
constexpr double bundle_kb_max = 100;

/// One database at a time, for all figures of its kind.
class current {
 public:
  served_jobs& of(const std::string& store) {
    if (store != store_) {
      served_.reset();
      views_.clear();
      served_ = std::make_unique<served_jobs>(store);
      store_ = store;
    }
    return *served_;
  }
  /// Milliseconds of a view. One run of the browser gives a number for each of them.
  double view_ms(const std::string& store, const std::string& name) {
    served_jobs& served = of(store);
    auto& measured = views_[name];
    if (measured.empty()) visit(served);
    if (measured.empty()) throw unavailable("the browser did not see it");
    const double first = measured.front();
    measured.erase(measured.begin());
    return first;
  }

 private:
  void visit(const served_jobs& served) {
    const char* const said = std::getenv("WEFT_NODE_MODULES");
    const std::string modules = said == nullptr ? WEFT_BENCH_NODE_MODULES : said;
    if (::access("/usr/bin/chromium", X_OK) != 0) throw unavailable("there is no Chromium");
    if (::access((modules + "/playwright-core/package.json").c_str(), R_OK) != 0)
      throw unavailable("npm has not fetched playwright-core: --with-peers does");
    const auto ended =
        weft::exec({"node", WEFT_BENCH_VIEWS_SCRIPT, served.page(), served_jobs::token, modules, "60000"},
                   {.timeout = 300s});
    if (ended.out.find("all is well") == std::string::npos)
      throw unavailable("the browser: " + ended.out + ended.err);
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) {
      double took = 0;
      int name_at = 0;
      if (std::sscanf(line.c_str(), "%lf ms  %n", &took, &name_at) == 1 && name_at > 0)
        views_[line.substr(static_cast<std::size_t>(name_at))].push_back(took);
    }
  }

  std::string store_;
  std::unique_ptr<served_jobs> served_;
  std::map<std::string, std::vector<double>> views_;  // that nobody has asked for yet
};

current& now() {
  static current only;
  return only;
}

/// The slowest of some requests one after the other; before each of them comes another, which is not counted.
template <typename Request, typename Other>
double slowest_ms(const served_jobs& served, Request request, Other before) {
  double slowest = 0;
  served.ask([&](weft::http::client& by) {
    for (int i = 0; i < asked_in_a_run; ++i) {
      before(by);
      slowest = std::max(slowest, 1e3 * seconds([&] { request(by); }));
    }
  });
  return slowest;
}

template <typename Request>
double slowest_ms(const served_jobs& served, Request request) {
  return slowest_ms(served, request, [](weft::http::client& by) { served_jobs::get(by, "/session"); });
}

std::string token_in(const std::string& counted) {
  return *weft::wire::parse_json(counted).if_object()->find("token")->if_text();
}

figure answer(const std::string& store, std::string name, weft::bench::measurement ours) {
  return {.group = "dashboard",
          .name = store + ": " + std::move(name),
          .unit = "ms",
          .ours = std::move(ours),
          .target = at_most(answer_ms_max),
          .before = [store] { (void)now().of(store); },
          .store = store};
}

std::vector<figure> answers_of(const std::string& store) {
  std::vector<figure> all;
  const auto names = weft_test::every_answer("ID", "GROUP");
  for (std::size_t i = 0; i < names.size(); ++i) {
    all.push_back(answer(store, "GET " + names[i], [=] {
      const served_jobs& served = now().of(store);
      return slowest_ms(served, [&](weft::http::client& by) { served_jobs::get(by, served.answers()[i]); });
    }));
  }
  const auto count = [](weft::http::client& by, const served_jobs& served) {
    return served_jobs::post(by, "/bulk/count",
                             R"({"action":"retry","filter":"state=dead&group=)" + served.group() + "\"}");
  };
  all.push_back(answer(store, "POST /bulk/count", [=] {
    const served_jobs& served = now().of(store);
    return slowest_ms(served, [&](weft::http::client& by) { count(by, served); });
  }));
  all.push_back(answer(store, "POST /bulk/run", [=] {
    const served_jobs& served = now().of(store);
    std::string confirmed;
    return slowest_ms(
        served, [&](weft::http::client& by) { served_jobs::post(by, "/bulk/run", confirmed); },
        [&](weft::http::client& by) { confirmed = "{\"token\":\"" + token_in(count(by, served)) + "\"}"; });
  }));
  return all;
}

std::vector<figure> views_of(const std::string& store) {
  std::vector<figure> all;
  // As tests/dashboard/views.mjs calls them.
  for (const char* const name :
       {"log in, and the overview", "jobs", "jobs of a state", "jobs of a queue and state",
        "jobs whose closure has a part", "jobs whose error has a part", "errors", "jobs of a group of errors",
        "queues", "schedules", "workers", "fibers", "one job", "the next page of jobs",
        "the count before many are changed"}) {
    all.push_back({.group = "dashboard",
                   .name = store + ": view: " + name,
                   .unit = "ms",
                   .ours = [=] { return now().view_ms(store, name); },
                   .target = at_most(view_ms_max),
                   .warm_up = false,
                   .before = [store] { (void)now().of(store); },
                   .store = store});
  }
  return all;
}

figure bundle() {
  return {.group = "dashboard",
          .name = "the page, with gzip",
          .unit = "kB",
          .ours =
              [] {
                return number_from({"/bin/sh", "-c",
                                    "cd " WEFT_BENCH_ASSETS
                                    " && for one in index.html app.css app.js; do gzip -c $one; done"
                                    " | wc -c"}) /
                       1000;
              },
          .target = at_most(bundle_kb_max),
          .once = true};
}

/// Views before changes: those are of as many jobs as were filled in.
const bool added = [] {
  figures().push_back(bundle());
  for (const char* const store : {"sqlite", "postgres"}) {
    for (auto& one : views_of(store)) figures().push_back(std::move(one));
    for (auto& one : answers_of(store)) figures().push_back(std::move(one));
  }
  return true;
}();

}  // namespace
