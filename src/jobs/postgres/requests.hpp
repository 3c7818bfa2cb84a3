#pragma once

#include <functional>
#include <span>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/request_line.hpp"

// What callers ask of the lanes; see postgres_store.

namespace weft::inline v1::jobs::postgres {

struct push_request : parked_request {
  std::span<const new_job> jobs;
  std::vector<job_id> ids;
};

struct end_request : parked_request {
  const attempt_end* end = nullptr;
  bool held = false;
};

/// Any other; `apply` may be called again where the server undid it.
struct call_request : parked_request {
  std::function<void(caller&)> apply;
};

}  // namespace weft::inline v1::jobs::postgres
