#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/catch_up.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

WEFT_DESCRIBE_ENUM(catch_up, skip, one, all);

/// How a schedule pushes its jobs.
struct schedule_options {
  catch_up policy = catch_up::one;  ///< what becomes of times at which no worker was there
  catch_up_bounds bounds = {};
  std::string queue = {};                ///< empty: the default queue
  int priority = 0;                      ///< as of push_options
  int max_attempts = 0;                  ///< failures until a job is dead; 0: the queue's default
  std::chrono::microseconds timeout{0};  ///< bound of one attempt; 0: the queue's default
  std::vector<std::string> tags = {};    ///< besides "schedule:" and the name
};

/// A schedule, for people and tools.
struct schedule_info {
  std::string name;
  std::string queue;
  std::string cron;
  std::string zone;
  std::string closure;  ///< identity of its function, with the types of its arguments
  std::string source;   ///< file and line of its closure
  catch_up policy = catch_up::one;
  moment last{};  ///< all times up to then were seen to
  moment next{};  ///< a worker looks at it then
  bool paused = false;
  std::string problem;  ///< why it cannot be trusted or read, so that it pushes nothing; empty: it can
};
WEFT_DESCRIBE(schedule_info, name, queue, cron, zone, closure, source, policy, last, next, paused, problem);

}  // namespace weft::inline v1::jobs
