#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "people.hpp"

namespace signup {

/// What became of one person of the list.
struct outcome {
  std::size_t line = 0;
  int status = 0;           ///< of the response; 0: not posted, or no response
  std::string reason = {};  ///< why it was refused; empty: accepted
  std::string request_id = {};
  std::string mail_job = {};  ///< of an accepted one
  double milliseconds = 0;    ///< from request to response
};

/// Posts the list to a sign-up service, `at_once` requests at a time, and calls `done` after each.
/// Outcomes in the order of the list.
std::vector<outcome> post_all(const std::string& url, const std::vector<listed_person>& people,
                              std::size_t at_once, const std::function<void(const outcome&)>& done);

/// The value below which `part` (0 to 1) of the values lie; 0 for none.
double percentile(std::vector<double> values, double part);

}  // namespace signup
