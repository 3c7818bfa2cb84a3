#include "jobs/postgres/link/connecting.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <libpq-fe.h>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/log/log.hpp>

#include "jobs/postgres/link/database_error.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

// What the URL does not say. A server that is cut off is noticed within a minute or so, not in two hours.
constexpr std::array defaults{
    std::pair{"fallback_application_name", "weft"},
    std::pair{"client_encoding", "UTF8"},
    std::pair{"keepalives_idle", "30"},
    std::pair{"keepalives_interval", "10"},
    std::pair{"keepalives_count", "3"},
    std::pair{"tcp_user_timeout", "60000"},
};

PGconn* start(const std::string& url) {
  std::array<const char*, defaults.size() + 2> keywords{};
  std::array<const char*, defaults.size() + 2> values{};
  std::size_t count = 0;
  for (const auto& [keyword, value] : defaults) {
    keywords[count] = keyword;
    values[count++] = value;
  }
  keywords[count] = "dbname";  // behind the defaults, so what the URL says holds
  values[count] = url.c_str();
  return PQconnectStartParams(keywords.data(), values.data(), 1);
}

/// Of `FATAL:  28P01: password authentication failed ...`, as libpq writes it when asked to be verbose.
std::pair<std::string, std::string> split_verbose(std::string_view said) {
  constexpr std::size_t state_length = 5;
  const std::size_t colon = said.find(":  ");
  if (colon == std::string_view::npos) return {"", one_line(said)};
  const std::string_view behind = said.substr(colon + 3);
  const std::string_view state = behind.substr(0, state_length);
  const bool is_state =
      behind.size() > state_length && behind[state_length] == ':' &&
      state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
  if (!is_state) return {"", one_line(said)};
  std::string_view text = behind.substr(state_length + 1);
  text = text.substr(0, text.find("\nLOCATION:"));
  while (text.starts_with(' ')) text.remove_prefix(1);
  return {std::string(state), one_line(text)};
}

[[noreturn]] void throw_failed(PGconn* link, const address& to) {
  auto [state, said] = split_verbose(link != nullptr ? PQerrorMessage(link) : "no memory");
  std::string message = "jobs: connect to PostgreSQL (" + to.shown() + "): " + said;
  if (!state.empty()) message += " (SQLSTATE " + state + ")";
  throw database_error(std::move(state), std::move(message));
}

[[noreturn]] void throw_timed_out(const address& to) {
  throw database_error("", "jobs: connect to PostgreSQL (" + to.shown() + "): no answer within " +
                               std::to_string(to.connect_timeout().count()) + " s");
}

void log_notice(void*, const PGresult* notice) {
  log::debug([&] { return "jobs: PostgreSQL says: " + one_line(PQresultErrorMessage(notice)); });
}

}  // namespace

// Each step of libpq runs on a thread of the pool: a step may look a name up, read files, talk to Kerberos,
// and wants more stack than a fiber has.
std::shared_ptr<PGconn> connect(const address& to) {
  const steady_time until = deadline_after(to.connect_timeout());
  auto started = blocking_until(until, [url = to.url()] {
    std::shared_ptr<PGconn> link(start(url), &PQfinish);
    if (link != nullptr) {
      PQsetErrorVerbosity(link.get(), PQERRORS_VERBOSE);
      PQsetNoticeReceiver(link.get(), &log_notice, nullptr);
    }
    return link;
  });
  if (!started) throw_timed_out(to);
  std::shared_ptr<PGconn> link = *std::move(started);
  if (link == nullptr || PQstatus(link.get()) == CONNECTION_BAD) throw_failed(link.get(), to);

  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    const io_events wanted = state == PGRES_POLLING_READING ? io_events::readable : io_events::writable;
    if (wait_event_until(PQsocket(link.get()), wanted, until) == io_events::none) throw_timed_out(to);
    auto polled = blocking_until(until, [link] { return PQconnectPoll(link.get()); });
    if (!polled) throw_timed_out(to);
    state = *polled;
    if (state == PGRES_POLLING_FAILED) throw_failed(link.get(), to);
  }
  PQsetErrorVerbosity(link.get(), PQERRORS_DEFAULT);
  if (PQsetnonblocking(link.get(), 1) != 0) throw_failed(link.get(), to);
  return link;
}

}  // namespace weft::inline v1::jobs::postgres
