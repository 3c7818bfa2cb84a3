#include "dashboard/bulk.hpp"

#include <algorithm>
#include <utility>

#include <weft/core/unwinding.hpp>
#include <weft/dashboard/site.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::dashboard {

namespace {

constexpr std::size_t plans_max = 100;
constexpr std::chrono::minutes kept_for{10};
constexpr std::size_t counted_at_once = 500;
constexpr std::size_t scanned_at_once = 200;  // search() reads so many at once, however few are asked for
// Those that ask together share the store's transactions; but how long they take is known only afterwards, so
// that it begins with a few, and takes more as long as there is time for twice as many.
constexpr std::size_t changed_first = 8;
constexpr std::size_t changed_at_once = 64;
constexpr std::size_t left_shown = 20;

// Does search() look job by job?
bool is_scanned(const jobs::search_filter& filter) {
  return !filter.closure.empty() || !filter.error.empty() || filter.fits;
}

// One job that cannot be changed does not keep the others from it, or their number from the audit.
std::string change_or_say_why_not(jobs::store& in, jobs::job_change what, const jobs::stored_job& job,
                                  jobs::moment now) {
  try {
    return jobs::change_job(in, what, job.id, now, job.state);
  } catch (const unwinding&) {
    throw;
  } catch (const std::exception& failed) {
    return log::to_utf8(failed.what());
  }
}

}  // namespace

/// Moves the plan behind the page. False: it is at its end.
bool bulk::go_on(plan& in, const jobs::search_page& page) {
  in.before = page.next;
  if (page.next) return true;
  in.states.erase(in.states.begin());
  in.before = in.newest;
  return !in.states.empty();
}

bulk_count bulk::count(const std::string& owner, jobs::job_change what, const jobs::search_filter& filter,
                       std::string said, jobs::moment now, std::chrono::milliseconds within) {
  const auto until = steady_clock::now() + within;
  plan made{
      owner, what, filter, std::move(said), {}, {}, jobs::first_id_at(now + std::chrono::microseconds(1)),
      {}};
  if (filter.state) {
    made.states = {*filter.state};
  } else {
    const auto usual = jobs::usual_states(what);
    made.states.assign(usual.begin(), usual.end());
  }
  made.before = made.newest;
  bulk_count counted;
  for (plan walk = made;;) {
    walk.filter.state = walk.states.front();
    const auto page = jobs::search(store_, walk.filter, walk.before, counted_at_once, until);
    counted.jobs += static_cast<std::int64_t>(page.jobs.size());
    if (!go_on(walk, page)) break;
    counted.has_more = steady_clock::now() >= until;
    if (counted.has_more) break;
  }
  counted.token = keep(std::move(made));
  return counted;
}

std::string bulk::keep(plan made) {
  const auto now = steady_clock::now();
  made.ends = now + kept_for;
  std::string token = make_token();
  const std::lock_guard lock(mutex_);
  std::erase_if(plans_, [&](const auto& one) { return one.second.ends <= now; });
  if (plans_.size() >= plans_max) {
    plans_.erase(std::min_element(plans_.begin(), plans_.end(), [](const auto& a, const auto& b) {
      return a.second.ends < b.second.ends;
    }));
  }
  plans_.emplace(token, std::move(made));
  return token;
}

std::optional<bulk::confirmed> bulk::find(const std::string& owner, std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto found = plans_.find(token);
  if (found == plans_.end() || found->second.owner != owner) return std::nullopt;
  return confirmed{found->second.what, found->second.said};
}

/// All at the same time.
void bulk::change(const plan& by, std::span<const jobs::stored_job> these, jobs::moment now,
                  bulk_progress& made) {
  const auto why = map_limited(these, changed_at_once, [&](const jobs::stored_job& job) {
    return change_or_say_why_not(store_, by.what, job, now);
  });
  for (std::size_t i = 0; i < why.size(); ++i) {
    if (why[i].empty()) {
      ++made.changed;
    } else if (++made.left_count <= static_cast<std::int64_t>(left_shown)) {
      made.left.push_back({to_string(these[i].id), why[i]});
    }
  }
}

std::optional<bulk_progress> bulk::run(const std::string& owner, std::string_view token, jobs::moment now,
                                       std::chrono::milliseconds within) {
  const auto until = steady_clock::now() + within;
  std::optional<plan> taken;  // so that two calls do not do the same
  {
    const std::lock_guard lock(mutex_);
    const auto found = plans_.find(token);
    if (found == plans_.end() || found->second.owner != owner) return std::nullopt;
    taken = std::move(found->second);
    plans_.erase(found);
  }
  bulk_progress made;
  std::size_t at_once = changed_first;
  do {
    taken->filter.state = taken->states.front();
    // Half of what is left, where few fit: what is found is to be changed, too.
    const auto began = steady_clock::now();
    const std::size_t wanted = is_scanned(taken->filter) ? scanned_at_once : at_once;
    const auto page = jobs::search(store_, taken->filter, taken->before, wanted, began + (until - began) / 2);
    std::span<const jobs::stored_job> found(page.jobs);
    do {
      const auto batch = found.first(std::min(at_once, found.size()));
      found = found.subspan(batch.size());
      const auto before = steady_clock::now();
      change(*taken, batch, now, made);
      const auto after = steady_clock::now();
      if (batch.size() == at_once && 2 * (after - before) < until - after)
        at_once = std::min(2 * at_once, changed_at_once);
    } while (!found.empty() && steady_clock::now() < until);
    if (found.empty()) {
      made.is_over = !go_on(*taken, page);
    } else {
      taken->before = page.jobs[page.jobs.size() - found.size() - 1].id;  // the last one that had its turn
    }
  } while (!made.is_over && steady_clock::now() < until);
  if (made.is_over) return made;
  taken->ends = steady_clock::now() + kept_for;
  const std::lock_guard lock(mutex_);
  plans_.emplace(token, std::move(*taken));
  return made;
}

}  // namespace weft::inline v1::dashboard
