#pragma once

#include <string>
#include <vector>

namespace weft_test {

/// Every read of the API that a page makes, below /api, as of a database that many_jobs_sql() has filled.
/// `job` is one that has failed, `group` the key of its group of errors.
inline std::vector<std::string> every_answer(const std::string& job, const std::string& group) {
  return {"/overview",
          "/jobs",
          "/jobs?state=ready",
          "/jobs?state=blocked",
          "/jobs?state=done&queue=mail",
          "/jobs?before=3000",
          "/jobs/" + job,
          "/jobs/" + job + "/steps",
          "/jobs?closure=nobody",
          "/jobs?error=nothing",
          "/jobs?tag=none",
          "/jobs?tag=eu&state=dead",
          "/jobs?state=scheduled",
          "/jobs?from=1",
          "/jobs?state=dead&group=" + group,
          "/errors",
          "/limits",
          "/schedules",
          "/workers"};
}

}  // namespace weft_test
