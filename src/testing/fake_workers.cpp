#include <weft/testing/fake_workers.hpp>

#include <algorithm>

#include "testing/fake_pool.hpp"

namespace weft::inline v1::testing {

worker_script& worker_script::add(reply one) {
  of_->add(name_, std::move(one));
  return *this;
}

worker_script& worker_script::for_ever() {
  of_->repeat_last(name_);
  return *this;
}

fake_workers::fake_workers(const offer& setup) : pool_(std::make_shared<detail::fake_pool>(setup)) {}
fake_workers::~fake_workers() = default;

workers::client_options fake_workers::options(workers::client_options of_program) const {
  of_program.stand_in = pool_;
  of_program.connect.clear();
  of_program.keys.reset();
  of_program.min_workers = 0;
  return of_program;
}

worker_script& fake_workers::on(std::string_view name) {
  return pool_->script(name, [this](std::string named) { return worker_script(*pool_, std::move(named)); });
}

void fake_workers::fail_starts(std::size_t count) { pool_->fail_starts(count); }

std::vector<fake_workers::seen_call> fake_workers::calls() const { return pool_->calls(); }

std::size_t fake_workers::count(std::string_view name) const {
  const auto all = calls();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const seen_call& one) { return one.name == name; }));
}

services& fake_workers::app() noexcept { return pool_->app(); }

std::string_view fake_workers::name_in(std::string_view identity) { return detail::name_of_target(identity); }

}  // namespace weft::inline v1::testing
