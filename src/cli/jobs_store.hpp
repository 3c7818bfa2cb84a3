#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

#include "cli/jobs_options.hpp"

namespace weft::inline v1::cli {

/// Opens a store that exists: a mistyped path makes nothing. Throws weft::error as jobs::open_store.
std::shared_ptr<jobs::store> open_existing(const std::string& url);

/// The keys of a file; without one those of WEFT_KEYS, or null where that is not set. Throws as
/// wire::key_ring::load.
std::shared_ptr<const wire::key_ring> keys_where_given(const std::string& file);

/// The same, but needed. Throws not_found, with what to do, where there are none.
std::shared_ptr<const wire::key_ring> needed_keys(const std::string& file);

/// The jobs of a batch, its last one not counted. Throws not_found where there are none.
jobs::state_counts counts_of_batch(jobs::store& in, jobs::job_id batch);

/// Says on stderr that no job is or was of the queue, and which may have been meant; nothing where one is.
void note_unknown_queue(jobs::store& in, const std::string& command, const std::string& queue);

/// Calls `each` with all jobs that fit, newest first, a page at a time.
void for_each_page(jobs::store& from, jobs::list_filter filter,
                   const std::function<void(std::vector<jobs::stored_job>)>& each);

/// Runs `body` and gives its status; an error of it is printed as that of `command`, and is exit_failed. So
/// is output that cannot be written.
int guarded(const std::string& command, const std::function<int()>& body);

}  // namespace weft::inline v1::cli
