#include <weft/jobs/search.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "jobs/job_ids.hpp"
#include "jobs/job_life.hpp"
#include "jobs/kept_attempt.hpp"

namespace weft::inline v1::jobs {

namespace {

constexpr std::size_t read_at_once = 200;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool has_part(std::string_view text, std::string_view part) {
  const auto found = std::search(text.begin(), text.end(), part.begin(), part.end(),
                                 [](char a, char b) { return lower(a) == lower(b); });
  return found != text.end() || part.empty();
}

bool has_error(store& in, const stored_job& job, std::string_view part) {
  const auto last = last_error_of(in, job);
  return last && (has_part(last->message, part) || has_part(last->type, part));
}

bool fits(store& in, const stored_job& job, const search_filter& filter) {
  return has_part(job.handler, filter.closure) &&
         (filter.error.empty() || has_error(in, job, filter.error)) && (!filter.fits || filter.fits(job));
}

std::optional<job_id> earlier(std::optional<job_id> one, std::optional<job_id> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

std::optional<failure> last_error_of(store& in, const stored_job& job) {
  const bool may_have_failed = job.attempts > 0 || job.crashes > 0 || job.backoffs > 0 ||
                               (is_ended(job.state) && job.state != job_state::done);
  if (!may_have_failed) return std::nullopt;
  const auto found = in.find(job.id);
  if (!found) return std::nullopt;
  for (auto one = found->past.rbegin(); one != found->past.rend(); ++one) {
    if (!one->error.empty()) return read_attempt(*one).error;
  }
  return std::nullopt;
}

search_page search(store& in, const search_filter& filter, std::optional<job_id> before, std::size_t limit,
                   steady_time until) {
  search_page page;
  const bool is_scanned = !filter.closure.empty() || !filter.error.empty() || filter.fits;
  list_filter listed{.queue = filter.queue, .tag = filter.tag, .state = filter.state, .before = before};
  if (filter.pushed_to) listed.before = earlier(before, first_id_at(*filter.pushed_to));
  listed.limit = is_scanned ? read_at_once : limit;
  const job_id first = filter.pushed_from ? first_id_at(*filter.pushed_from) : job_id{INT64_MIN};
  for (;;) {
    auto read = in.list(listed);
    const bool is_last = read.size() < listed.limit;
    for (auto& job : read) {
      if (job.id < first) return page;
      listed.before = job.id;
      ++page.looked_at;
      if (fits(in, job, filter)) page.jobs.push_back(std::move(job));
      const bool is_out_of_time = is_scanned && steady_clock::now() >= until;
      if (page.jobs.size() == limit || is_out_of_time) {
        page.next = listed.before;
        return page;
      }
    }
    if (is_last) return page;
  }
}

job_id first_id_at(moment pushed) noexcept { return smallest_id_at(pushed); }

}  // namespace weft::inline v1::jobs
