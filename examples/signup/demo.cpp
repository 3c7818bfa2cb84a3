#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>

#include "crowd.hpp"
#include "log_book.hpp"
#include "mail.hpp"
#include "program.hpp"
#include "progress.hpp"

namespace signup {
namespace {

/// What the end of the demo is judged by.
struct verdict {
  std::size_t users = 0;
  std::size_t mails = 0;
  std::size_t without_mail = 0;    ///< users whose mail is missing
  std::size_t mails_too_many = 0;  ///< mails that belong to no user
  std::size_t attempts = 0;
  std::size_t retried_jobs = 0;
  std::size_t jobs_given_up = 0;
  weft::jobs::job_id most_tried{};  ///< the job with the most attempts
  std::size_t most_attempts = 0;

  bool all_is_well() const { return without_mail == 0 && mails_too_many == 0 && jobs_given_up == 0; }
};

void wait_for_mails(program& service, bool print_events) {
  const std::size_t total = service.unfinished_jobs();
  progress shown("delivered", total, print_events);
  for (std::size_t left = total; left > 0; left = service.unfinished_jobs()) {
    shown.set(total - std::min(left, total));
    weft::sleep_for(std::chrono::milliseconds(20));
  }
  shown.set(total);
}

void count_attempts(verdict& into, program& service, const stored_user& user) {
  const auto id = weft::jobs::job_id_from_string(user.mail_job);
  const auto job = id ? service.queue().show(*id) : std::nullopt;
  if (!job) return;
  into.attempts += job->past.size();
  if (job->past.size() > 1) ++into.retried_jobs;
  if (job->state != weft::jobs::job_state::done) ++into.jobs_given_up;
  if (job->past.size() > into.most_attempts) {
    into.most_attempts = job->past.size();
    into.most_tried = *id;
  }
}

verdict judge(const settings& from, program& service) {
  verdict found;
  const auto delivered = maildir(mail_folder(from)).names();
  std::set<std::string> left(delivered.begin(), delivered.end());
  found.mails = delivered.size();
  for (const auto& user : service.everybody().all()) {
    ++found.users;
    if (left.erase(user.mail_job) == 0) ++found.without_mail;
    count_attempts(found, service, user);
  }
  found.mails_too_many = left.size();
  return found;
}

/// "413 body too large..." without what differs from row to row.
std::string kind_of(const std::string& reason) {
  const std::string line = reason.substr(0, reason.find('\n'));
  return line.size() > 70 ? line.substr(0, 67) + "..." : line;
}

void print_summary(const std::vector<outcome>& outcomes, const verdict& found) {
  std::map<std::string, std::size_t> refused;
  std::vector<double> times;
  std::size_t accepted = 0;
  for (const auto& one : outcomes) {
    if (one.status != 0) times.push_back(one.milliseconds);
    if (one.reason.empty()) {
      ++accepted;
    } else {
      ++refused[kind_of(one.reason)];
    }
  }
  std::printf("\nsign-ups posted      %6zu\n", outcomes.size());
  std::printf("  accepted           %6zu\n", accepted);
  std::printf("  refused            %6zu\n", outcomes.size() - accepted);
  for (const auto& [reason, count] : refused) std::printf("    %4zu  %s\n", count, reason.c_str());
  std::printf("users stored         %6zu\n", found.users);
  std::printf("mails delivered      %6zu\n", found.mails);
  std::printf("  attempts           %6zu\n", found.attempts);
  std::printf("  tried again        %6zu jobs, %zu attempts\n", found.retried_jobs,
              found.attempts - std::min(found.attempts, found.users));
  std::printf("request time         p50 %.1f ms, p99 %.1f ms\n", percentile(times, 0.50),
              percentile(times, 0.99));
}

/// The story of one sign-up through all places: the log of its request, and that of its job's attempts.
void print_story(program& service, const log_book& book, const std::vector<outcome>& outcomes,
                 const verdict& found) {
  const auto one = std::find_if(outcomes.begin(), outcomes.end(), [&](const auto& each) {
    return each.mail_job == to_string(found.most_tried);
  });
  const auto job = service.queue().show(found.most_tried);
  if (one == outcomes.end() || !job) return;
  std::vector<weft::log::record> story = book.of_request(one->request_id);
  for (const auto& attempt : job->past) weft::log::merge(story, attempt.log.records);
  std::printf("\nrequest %s, job %s, tried %zu times:\n", one->request_id.c_str(), one->mail_job.c_str(),
              job->past.size());
  print_timeline(story);
}

}  // namespace

int run_demo(const settings& from, program& service) {
  const auto book = std::make_shared<log_book>();
  weft::log::remove_all_sinks();
  weft::log::add_sink(book);

  weft::thread_pool pool{{.name = "list"}};
  const auto people = load_people(from.people, pool);
  std::vector<outcome> outcomes;
  {
    progress shown("posted", people.size(), from.print_events);
    std::size_t done = 0;
    outcomes =
        post_all(service.url(), people, from.requests_at_once, [&](const outcome&) { shown.set(++done); });
  }
  wait_for_mails(service, from.print_events);

  const verdict found = judge(from, service);
  print_summary(outcomes, found);
  print_story(service, *book, outcomes, found);
  if (found.all_is_well()) {
    std::printf("\nevery accepted sign-up has exactly one mail\n");
    return 0;
  }
  std::printf("\nFAILED: %zu users without a mail, %zu mails too many, %zu jobs given up\n",
              found.without_mail, found.mails_too_many, found.jobs_given_up);
  return 1;
}

}  // namespace signup
