#include "jobs/postgres/link/address.hpp"

#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>

#include <libpq-fe.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs::postgres {
namespace {

using option_map = std::map<std::string, std::string, std::less<>>;

/// What libpq says up to where it begins to quote.
std::string without_quotes(std::string_view said) {
  const std::size_t end = said.find_first_of("\":\n");
  return std::string(said.substr(0, end == std::string_view::npos ? said.size() : end));
}

option_map read(const std::string& url) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> read_options(
      PQconninfoParse(url.c_str(), &complaint), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> freed(complaint, &PQfreemem);
  if (read_options == nullptr) {
    throw error(errc::invalid_argument, "jobs: open the store at a postgres:// URL: libpq cannot read it: " +
                                            without_quotes(complaint != nullptr ? complaint : "no memory"));
  }
  option_map all;
  for (const PQconninfoOption* one = read_options.get(); one->keyword != nullptr; ++one) {
    if (one->val != nullptr) all.emplace(one->keyword, one->val);
  }
  return all;
}

std::string of(const option_map& options, const char* name, const char* variable) {
  if (const auto found = options.find(std::string_view(name)); found != options.end()) return found->second;
  const char* const set =
      variable != nullptr ? std::getenv(variable) : nullptr;  // NOLINT(concurrency-mt-unsafe)
  return set != nullptr ? set : "";
}

}  // namespace

address::address(std::string url) : url_(std::move(url)) {
  const option_map options = read(url_);
  const auto show = [&](const char* before, const std::string& value) {
    if (!value.empty()) shown_.append(before).append(value);
  };
  show("", of(options, "user", "PGUSER"));
  std::string host = of(options, "host", "PGHOST");
  if (host.empty()) host = of(options, "hostaddr", "PGHOSTADDR");
  show("@", host.empty() ? "local" : host);
  show(":", of(options, "port", "PGPORT"));
  show("/", of(options, "dbname", "PGDATABASE"));

  const std::string timeout = of(options, "connect_timeout", "PGCONNECT_TIMEOUT");
  int seconds = 0;
  std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds);
  if (seconds > 0) connect_timeout_ = std::chrono::seconds(seconds);
}

}  // namespace weft::inline v1::jobs::postgres
