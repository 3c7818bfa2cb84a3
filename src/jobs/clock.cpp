#include <weft/jobs/clock.hpp>

namespace weft::inline v1::jobs {
namespace {

class system_clock final : public clock {
 public:
  moment now() const override {
    return std::chrono::floor<std::chrono::microseconds>(weft::wall_clock::now());
  }
};

}  // namespace

const clock& clock::system() {
  static const system_clock& instance = *new system_clock;  // never destroyed: workers may outlive main
  return instance;
}

}  // namespace weft::inline v1::jobs
