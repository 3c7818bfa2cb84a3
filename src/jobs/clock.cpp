#include <weft/jobs/clock.hpp>

namespace weft::jobs {
namespace {

class wall_clock final : public clock {
 public:
  moment now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace

const clock& clock::system() {
  static const wall_clock& instance = *new wall_clock;  // never destroyed: workers may outlive main
  return instance;
}

}  // namespace weft::jobs
