// Fault points: a test that lets the power fail at each place where it could, and looks whether the job is
// right when it is tried again. The points cost the program a load and a branch.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/jobs/control.hpp>
#include <weft/testing/fault.hpp>
#include <weft/testing/test_kit.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;
namespace testing = weft::testing;

// The program.

/// Knows each payment by a key, as payment services do: the same key again is the same payment.
struct bank {
  std::map<std::string, int> payments;
  void charge(const std::string& key, int cents) { payments.emplace(key, cents); }
};

struct shop {
  int parcels = 0;
};

constexpr auto order =
    weft::named_closure<"power_cut.order">([](bank& with, shop& from, jobs::control& job, int cents) {
      weft::fault_point("order.begins");
      job.checkpoint("charge", [&] {
        with.charge(to_string(job.id()), cents);  // not by a new key in each attempt
        weft::fault_point("order.charged");
      });
      weft::fault_point("order.before parcel");
      job.checkpoint("parcel", [&] { ++from.parcels; });
      weft::fault_point("order.after parcel");
    });

// Its test.

bool right_after_a_power_cut_at(const char* point) {
  bank ledger;
  shop corner;
  weft::services app;
  app.provide(ledger);
  app.provide(corner);
  jobs::test_kit kit(app);
  const testing::fault cut(point, testing::throws(weft::error(weft::errc::unavailable, "power cut")),
                           {.times = 1});
  kit.queue().push(weft::closure{order, 70});
  kit.advance(1h);
  return cut.struck() == 1 && ledger.payments.size() == 1 && corner.parcels == 1;
}

}  // namespace

int main() {
  int right = 0;
  const std::vector points{"order.begins", "order.charged", "order.before parcel", "order.after parcel"};
  for (const char* const point : points) {
    if (right_after_a_power_cut_at(point)) ++right;
  }
  std::printf("the power failed at %d places; Ada paid once each time\n", right);
  return right == 4 ? 0 : 1;
}
