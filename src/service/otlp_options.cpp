#include <weft/service/otlp_options.hpp>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <weft/http/header.hpp>
#include <weft/http/request.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1 {

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

/// Nothing where it is absent or empty, which the specification takes for the same.
std::optional<std::string> variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody changes it
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

void warn_of(const std::string& name, std::string_view why) {
  log::warn("otlp: a variable of the environment is passed over", {{"name", name}, {"why", why}});
}

/// The variable for traces alone, else that for all signals.
struct exporter_variable {
  explicit exporter_variable(const std::string& what) : name("OTEL_EXPORTER_OTLP_TRACES_" + what) {
    value = variable(name);
    if (value) return;
    name = "OTEL_EXPORTER_OTLP_" + what;
    value = variable(name);
  }
  std::string name;
  std::optional<std::string> value;
};

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// "key=value,key=value", percent-encoded; nothing where one of them is malformed.
std::optional<pairs> read_pairs(std::string_view list) {
  pairs made;
  while (!list.empty()) {
    const std::string_view one = trimmed(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.find(','), list.size() - 1) + 1);
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto name = http::percent_decode(trimmed(one.substr(0, equals)));
    auto value = http::percent_decode(trimmed(one.substr(equals + 1)));
    if (!name || name->empty() || !value) return std::nullopt;
    made.emplace_back(std::move(*name), std::move(*value));
  }
  return made;
}

std::optional<std::uint32_t> read_number(const std::string& name, const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, failure] = std::from_chars(text->data(), end, number);
  if (failure == std::errc() && stop == end && number > 0) return number;
  warn_of(name, "it is no number above 0");
  return std::nullopt;
}

/// The base of all signals has the path of each behind it; what is for traces alone is whole.
void read_endpoint(otlp_options& into) {
  if (const auto whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) {
    into.url = *whole;
  } else if (auto base = variable("OTEL_EXPORTER_OTLP_ENDPOINT")) {
    if (!base->ends_with('/')) *base += '/';
    into.url = *base + "v1/traces";
  }
}

void read_headers(otlp_options& into) {
  const exporter_variable from("HEADERS");
  if (!from.value) return;
  if (auto read = read_pairs(*from.value)) {
    into.headers = std::move(*read);
  } else {
    warn_of(from.name, "it is not key=value,key=value");
  }
}

void read_compression(otlp_options& into) {
  const exporter_variable from("COMPRESSION");
  if (!from.value) return;
  into.compresses = *from.value == "gzip";
  if (!into.compresses && *from.value != "none") warn_of(from.name, "it is neither gzip nor none");
}

void read_resource(otlp_options& into) {
  into.service_name = variable("OTEL_SERVICE_NAME").value_or("");
  const auto text = variable("OTEL_RESOURCE_ATTRIBUTES");
  if (!text) return;
  const auto read = read_pairs(*text);
  if (!read) return warn_of("OTEL_RESOURCE_ATTRIBUTES", "it is not key=value,key=value");
  for (const auto& [name, value] : *read) into.resource.push_back({name, value});
}

}  // namespace

otlp_options otlp_options::from_environment() {
  otlp_options made;
  read_endpoint(made);
  read_headers(made);
  read_compression(made);
  read_resource(made);
  const exporter_variable timeout("TIMEOUT");
  if (const auto time = read_number(timeout.name, timeout.value))
    made.timeout = std::chrono::milliseconds(*time);
  const exporter_variable protocol("PROTOCOL");
  if (protocol.value && *protocol.value != "http/json") warn_of(protocol.name, "what is spoken is http/json");
  const auto number_of = [](const char* name) { return read_number(name, variable(name)); };
  if (const auto time = number_of("OTEL_BSP_SCHEDULE_DELAY"))
    made.schedule = std::chrono::milliseconds(*time);
  if (const auto count = number_of("OTEL_BSP_MAX_EXPORT_BATCH_SIZE")) made.batch_spans_max = *count;
  return made;
}

bool environment_wants_traces() {
  return !http::same_name(variable("OTEL_SDK_DISABLED").value_or(""), "true") &&
         variable("OTEL_TRACES_EXPORTER").value_or("otlp") != "none";
}

}  // namespace weft::inline v1
