#pragma once

#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

namespace weft::inline v1::cli {

/// One thing the doctor looked at.
struct finding {
  std::string what;
  std::string state;   ///< "ok", "warning" or "error"
  std::string detail;  ///< the value found and, unless it is ok, what to do
};
WEFT_DESCRIBE(finding, what, state, detail);

struct doctor_report {
  int schema = 1;
  std::vector<finding> findings;
};
WEFT_DESCRIBE(doctor_report, schema, findings);

struct doctor_options {
  std::string db = {};    ///< empty: none is looked at
  std::string keys = {};  ///< a file; empty: as WEFT_KEYS says
  bool as_json = false;
};

/// Looks at the machine: kernel, cores, limits, stack guards, libraries, clock, time zones; and at the keys
/// and the database, as far as they are named: what they are, and whether this build can work with them.
doctor_report examine(const doctor_options& options = {});

/// `weft doctor`: prints the report. 0 also with warnings; exit_failed where one is an error.
int run_doctor(const doctor_options& options);

}  // namespace weft::inline v1::cli
