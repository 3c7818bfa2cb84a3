#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/http/client.hpp>
#include <weft/jobs/store.hpp>
#include <weft/log/sink.hpp>

#include "jobs/sizes.hpp"

namespace weft::bench {

/// So many jobs; WEFT_BENCH_DASHBOARD says another number, in thousands.
inline const std::size_t jobs_of_the_dashboard = thousands("WEFT_BENCH_DASHBOARD", 1'000);

/// A dashboard over many jobs in a database of its own, served on a thread of its own.
class served_jobs {
 public:
  static constexpr const char* token = "operator-token-of-the-bench";

  /// `store`: sqlite or postgres. Fills the database, which takes half a minute for a million.
  explicit served_jobs(const std::string& store);
  served_jobs(const served_jobs&) = delete;
  served_jobs& operator=(const served_jobs&) = delete;
  ~served_jobs();

  const std::string& url() const noexcept { return url_; }
  /// Below the address of the dashboard: where a browser begins, with a / at its end.
  std::string page() const { return url_ + "/jobs/"; }
  /// Runs `body` with a client; `get` and `post` throw where they are not answered with 200.
  void ask(const std::function<void(http::client&)>& body) const;
  static std::string get(http::client& by, const std::string& path);
  static std::string post(http::client& by, const std::string& path, const std::string& body);
  /// every_answer() of a job and a group that are there.
  const std::vector<std::string>& answers() const noexcept { return answers_; }
  /// The group of errors that all dead jobs are of.
  const std::string& group() const noexcept { return group_; }

 private:
  class database;
  void fill();
  void serve(std::function<void(std::string url)> is_there);

  const log::level level_before_ = log::current_level();
  std::unique_ptr<database> database_;
  std::shared_ptr<jobs::store> store_;
  std::unique_ptr<event> ends_ = std::make_unique<event>();
  std::string url_;
  std::string group_;
  std::vector<std::string> answers_;
  std::thread serves_;
};

}  // namespace weft::bench
