#pragma once

#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// A job that somebody waited for ended without success: state() is dead, cancelled or quarantined. Nested
/// in it: the error of its last attempt, as far as it left one.
class job_given_up : public error {
 public:
  job_given_up(errc code, job_id id, job_state state, std::string message)
      : error(code, std::move(message)), id_(id), state_(state) {}
  job_id id() const noexcept { return id_; }
  job_state state() const noexcept { return state_; }

 private:
  job_id id_;
  job_state state_;
};

}  // namespace weft::inline v1::jobs
