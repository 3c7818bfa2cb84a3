#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <weft/codec/describe.hpp>
#include <weft/http/form.hpp>
#include <weft/http/status_error.hpp>

#include "dashboard/error_groups.hpp"
#include "dashboard/site_state.hpp"

namespace weft::inline v1::dashboard {

namespace {

struct filter_fields {
  std::optional<std::string> state;
  std::optional<std::string> queue;
  std::optional<std::string> tag;
  std::optional<std::string> closure;
  std::optional<std::string> error;
  std::optional<std::int64_t> from;  // milliseconds since 1970
  std::optional<std::int64_t> to;
};
WEFT_DESCRIBE(filter_fields, state, queue, tag, closure, error, from, to);

std::optional<jobs::moment> moment_of(std::optional<std::int64_t> millis) {
  constexpr std::int64_t most = std::int64_t{1} << 50;
  if (!millis) return std::nullopt;
  if (*millis < 0 || *millis > most) throw http::status_error(400, "from and to are milliseconds since 1970");
  return jobs::moment(std::chrono::milliseconds(*millis));
}

jobs::search_filter filter_of(jobs::store& in, const http::form_fields& query) {
  const auto fields = query.as<filter_fields>();
  jobs::search_filter made;
  if (fields.state) {
    made.state = jobs::job_state_from_string(*fields.state);
    if (!made.state) throw http::status_error(400, "there is no such state of jobs");
  }
  made.queue = fields.queue.value_or("");
  made.tag = fields.tag.value_or("");
  made.closure = fields.closure.value_or("");
  made.error = fields.error.value_or("");
  if (const auto text = query.first("group")) {  // an empty one, too: no group is not all jobs
    auto group = error_key_from(*text);
    if (!group) throw http::status_error(400, "that is no group of errors");
    made.fits = [&in, how = std::move(*group)](const jobs::stored_job& job) {
      return has_failed_so(in, job, how);
    };
  }
  made.pushed_from = moment_of(fields.from);
  made.pushed_to = moment_of(fields.to);
  return made;
}

}  // namespace

jobs::search_filter filter_in(site::state& of, const http::request& in) {
  return filter_of(of.in(), in.query_fields());
}
jobs::search_filter filter_in(site::state& of, std::string_view query) {
  return filter_of(of.in(), http::form_fields::parse(query));
}

}  // namespace weft::inline v1::dashboard
