#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"

// What is only looked at: as jobs::store says. Each is one statement, so it sees one moment.

namespace weft::inline v1::jobs::postgres {

std::optional<stored_job> find_job(caller& by, job_id id);
std::vector<stored_job> list_jobs(caller& by, const list_filter& filter);
std::vector<queue_stats> read_stats(caller& by);
std::vector<oldest_ready> find_oldest_ready(caller& by, moment now);
state_counts count_tagged(caller& by, std::string_view tag);
std::vector<std::string> list_tags(caller& by, std::string_view start, std::string_view before,
                                   std::size_t limit);
std::int64_t count_unroutable(caller& by, const std::function<bool(std::string_view handler)>& routable);

/// The statement of list_jobs(); $1 is before which id, and where they are needed $2 the queue, $3 the tag.
/// For tests.
std::string list_statement(const list_filter& filter);

}  // namespace weft::inline v1::jobs::postgres
