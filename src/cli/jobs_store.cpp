#include "cli/jobs_store.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <weft/core/error.hpp>

#include "cli/exit_status.hpp"
#include "cli/printed_error.hpp"

namespace weft::cli {

std::shared_ptr<jobs::store> open_existing(const std::string& url) {
  return jobs::open_store(url, {.prepare = false});
}

std::shared_ptr<const wire::key_ring> keys_where_given(const std::string& file) {
  if (!file.empty()) return std::make_shared<const wire::key_ring>(wire::key_ring::load(file));
  if (std::getenv("WEFT_KEYS") == nullptr) return nullptr;
  return std::make_shared<const wire::key_ring>(wire::key_ring::from_environment());
}

std::shared_ptr<const wire::key_ring> needed_keys(const std::string& file) {
  auto keys = keys_where_given(file);
  if (keys != nullptr) return keys;
  throw error(
      errc::not_found,
      "jobs are signed, and there are no keys: say --keys FILE, or set WEFT_KEYS=file:FILE; `weft keys "
      "generate FILE` makes one");
}

jobs::state_counts counts_of_batch(jobs::store& in, jobs::job_id batch) {
  const auto counts = in.count_tagged(jobs::batch_tag(batch));
  if (counts.total() > 0) return counts;
  throw error(errc::not_found, "there is no batch " + to_string(batch) +
                                   " with jobs in this database; `weft batches list` has all");
}

void for_each_page(jobs::store& from, jobs::list_filter filter,
                   const std::function<void(std::vector<jobs::stored_job>)>& each) {
  constexpr std::size_t page = 500;
  filter.limit = page;
  for (;;) {
    auto jobs = from.list(filter);
    if (jobs.empty()) return;
    const bool is_last = jobs.size() < page;
    filter.before = jobs.back().id;
    each(std::move(jobs));
    if (is_last) return;
  }
}

int guarded(const std::string& command, const std::function<int()>& body) {
  try {
    const int status = body();
    return std::fflush(stdout) == 0 ? status : exit_failed;
  } catch (const error&) {
    std::fputs(error_text(command, std::current_exception()).c_str(), stderr);
    return exit_failed;
  }
}

}  // namespace weft::cli
