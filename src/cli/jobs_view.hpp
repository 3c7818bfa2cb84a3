#pragma once

#include <string>
#include <vector>

#include <weft/jobs/job_info.hpp>
#include <weft/jobs/view.hpp>

namespace weft::inline v1::cli {

using jobs::shown_details;
using jobs::shown_job;
using jobs::shown_list;
using jobs::shown_queue;
using jobs::shown_stats;

/// As people read them; control characters are escaped.
/// A line for one job, without its end.
std::string line_text(const jobs::job_info& from, jobs::moment now);
std::string list_text(const std::vector<jobs::job_info>& jobs, jobs::moment now);
/// `why`: jobs::why_waiting.
std::string details_text(const jobs::job_info& from, const std::string& result,
                         const std::vector<std::string>& why, jobs::moment now);
std::string stats_text(const shown_stats& from);

}  // namespace weft::inline v1::cli
