#include <weft/testing/job_pattern.hpp>

#include <algorithm>

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>

namespace weft::jobs {

job_pattern job_pattern::named(std::string_view name) {
  const auto all = closure_registry::list();
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const closure_info& one) { return one.name == name; });
  if (!known || name.empty()) {
    throw error(errc::not_found, "jobs: look for jobs of \"" + std::string(name) +
                                     "\": this program has no closure of that name");
  }
  job_pattern made;
  made.name_ = name;
  return made;
}

job_pattern job_pattern::described(const detail::pushed_closure& what) {
  job_pattern made;
  made.identity_ = what.identity;
  made.arguments_ = what.arguments;
  return made;
}

job_pattern job_pattern::of_function(const closure_identity& identity) {
  job_pattern made;
  made.identity_ = identity.text();
  return made;
}

bool job_pattern::fits(const job_info& job) const {
  if (!name_.empty()) return closure_identity::parse(job.closure).name == name_;
  return job.closure == identity_ && (!arguments_ || job.arguments == *arguments_);
}

std::string job_pattern::text() const {
  if (!name_.empty()) return name_;
  return arguments_ ? identity_ + " with " + *arguments_ : identity_;
}

}  // namespace weft::jobs
