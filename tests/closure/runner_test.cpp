#include <weft/closure/runner.hpp>

#include <gtest/gtest.h>

#include "support/closure_runner_contract.hpp"

namespace runner_contract {

// The runner and the services of its runs, which outlive it.
class runner_with_services final : public weft::closure_runner {
 public:
  runner_with_services() : runner_(app_) { setup(app_); }
  weft::closure_outcome run(const weft::closure_request& request) override { return runner_.run(request); }
  std::string_view name() const noexcept override { return runner_.name(); }

 private:
  weft::services app_;
  weft::in_place_runner runner_;
};

INSTANTIATE_TEST_SUITE_P(in_place, closure_runner_contract,
                         testing::Values(maker{"in place",
                                               [] { return std::make_unique<runner_with_services>(); }}));

}  // namespace runner_contract
