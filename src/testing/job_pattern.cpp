#include <weft/testing/job_pattern.hpp>

#include <algorithm>

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {

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
  made.identities_ = {what.identity};
  if (closure_identity::parse(what.identity).name.empty())
    made.identities_ = weft::detail::identities_made_like(what.identity);
  made.arguments_ = what.arguments;
  return made;
}

job_pattern job_pattern::of_function(weft::detail::argument_reader function, std::string_view type,
                                     std::string_view name) {
  job_pattern made;
  made.identities_ = weft::detail::identities_made_of(function);
  if (!name.empty()) {
    std::erase_if(made.identities_,
                  [&](const std::string& one) { return closure_identity::parse(one).name != name; });
  }
  if (made.identities_.empty()) {
    throw error(errc::not_found, "jobs: look for jobs of " +
                                     (name.empty() ? std::string(type) : '"' + std::string(name) + '"') +
                                     ": this program makes no closure of it");
  }
  return made;
}

bool job_pattern::fits(const job_info& job) const {
  if (!name_.empty()) return closure_identity::parse(job.closure).name == name_;
  const bool is_of_it = std::find(identities_.begin(), identities_.end(), job.closure) != identities_.end();
  return is_of_it && (!arguments_ || job.arguments == *arguments_);
}

std::string job_pattern::text() const {
  if (!name_.empty()) return name_;
  std::string all;
  for (const auto& one : identities_) all += (all.empty() ? "" : " or ") + one;
  return arguments_ ? all + " with " + *arguments_ : all;
}

}  // namespace weft::inline v1::jobs
