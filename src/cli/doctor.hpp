#pragma once

#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

namespace weft::inline v1::cli {

/// One thing the doctor looked at.
struct finding {
  std::string what;
  std::string state;   ///< "ok" or "warning"
  std::string detail;  ///< the value found and, for a warning, what to do
};
WEFT_DESCRIBE(finding, what, state, detail);

struct doctor_report {
  int schema = 1;
  std::vector<finding> findings;
};
WEFT_DESCRIBE(doctor_report, schema, findings);

/// Looks at the machine: kernel, cores, limits, stack guards, libraries.
doctor_report examine();

/// `weft doctor`: prints the report; 0 also with warnings.
int run_doctor(bool as_json);

}  // namespace weft::inline v1::cli
