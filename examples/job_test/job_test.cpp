// A test of a program that pushes jobs, without any test framework: the queue is in memory, its clock stands
// still until the test moves it, and retries, delays and schedules run each at its moment.
#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/testing/test_kit.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;

// The program.

struct shop {
  std::set<std::string> paid;
  std::vector<std::string> mails;
  int mail_server_is_away = 0;  // for so many mails

  void mail(const std::string& text) {
    if (mail_server_is_away > 0 && mail_server_is_away-- > 0)
      throw weft::error(weft::errc::unavailable, "the mail server is away");
    mails.push_back(text);
  }
};

constexpr auto invoice =
    weft::named_closure<"job_test.invoice">([](shop& of, std::string who) { of.mail("invoice to " + who); });
constexpr auto remind = weft::named_closure<"job_test.remind">([](shop& of, std::string who) {
  if (!of.paid.contains(who)) of.mail("reminder to " + who);
});

void sell(jobs::queue& queue, const std::string& who) {
  queue.push(weft::closure{invoice, who});
  queue.push(weft::closure{remind, who}, {.delay = 24h});
}

// Its tests.

int failures = 0;

void claim(bool holds, const char* what) {
  if (!holds) ++failures;
  std::printf("%s: %s\n", holds ? "ok" : "NOT ok", what);
}

using texts = std::vector<std::string>;

}  // namespace

int main() {
  shop corner;
  weft::services app;
  app.provide(corner);
  jobs::test_kit kit(app);

  sell(kit.queue(), "Ada");
  kit.assert_pushed(weft::closure{remind, "Ada"});
  kit.drain().require_success();
  claim(corner.mails == texts{"invoice to Ada"}, "the first mail is sent at once");

  corner.mail_server_is_away = 2;
  const auto day = kit.advance(25h);
  claim(day.retried() == 2 && corner.mails.back() == "reminder to Ada",
        "the reminder comes a day later, though the mail server was away");

  sell(kit.queue(), "Alan");
  corner.paid.insert("Alan");
  kit.advance(48h).require_success();
  claim(corner.mails.back() == "invoice to Alan", "who has paid is not reminded");
  return failures == 0 ? 0 : 1;
}
