#include "cli/jobs_store.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <weft/config/closest_name.hpp>
#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>

#include "cli/exit_status.hpp"
#include "cli/printed_error.hpp"

namespace weft::inline v1::cli {

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

void note_unknown_queue(jobs::store& in, const std::string& command, const std::string& queue) {
  std::vector<std::string> names;
  for (const auto& one : in.stats()) {
    if (one.queue == queue && one.total() > 0) return;
    if (one.queue != queue) names.push_back(one.queue);
  }
  std::string text = command + ": there are no jobs of a queue \"";
  log::append_escaped(text, queue);
  text += '"';
  if (const auto meant = config::closest_name(queue, names); !meant.empty()) {
    text += "; did you mean ";
    log::append_escaped(text, meant);
    text += '?';
  }
  std::fprintf(stderr, "%s\n", text.c_str());
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
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    if (errno != EPIPE) {  // who reads no more knows that
      std::fprintf(stderr, "%s: write its output: %s\n", command.c_str(), std::strerror(errno));
    }
    return exit_failed;
  } catch (const error&) {
    std::fputs(error_text(command, std::current_exception()).c_str(), stderr);
    return exit_failed;
  }
}

}  // namespace weft::inline v1::cli
