#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/http/router.hpp>
#include <weft/jobs/clock.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::dashboard {

/// What somebody may do who has logged in.
enum class role : unsigned char {
  viewer,    ///< sees everything
  operates,  ///< and changes: retries, cancels, pauses
};

/// A token for site_options: 32 random characters, to be handed to people.
std::string make_token();
/// Tokens have at least so many bytes.
inline constexpr std::size_t token_bytes_min = 16;

struct site_options {
  /// Who has it may change; needed, as is that it is at least token_bytes_min long.
  std::string operator_token = {};
  std::string viewer_token = {};  ///< who has it may look; empty: nobody may only look
  /// Verifies jobs, so that their arguments, sources and results are shown. Null: they are not.
  std::shared_ptr<const wire::key_ring> keys = {};
  std::string tenant = {};  ///< as queue_options::tenant
  /// Names by which browsers may ask for it, besides localhost, 127.0.0.1 and [::1], without a port:
  /// "jobs.example.org". Requests for another host are refused, as a page of a stranger may make them.
  std::vector<std::string> hosts = {};
  /// Where the trace that a job belongs to is shown: "https://traces.example.org/trace/{trace_id}"; also
  /// {span_id}. Empty: nowhere.
  std::string trace_url = {};
  /// Where operators find the fibers of a worker, as its admin listener shows them:
  /// "http://{host}:9464/fibers"; also {pid} and {id}. Empty: nowhere. It is a link: the browser goes there,
  /// this program never does.
  std::string worker_url = {};
  /// Names of context values that are shown though they may be secrets: values whose keys this program does
  /// not know, or that are not to be printed (key_spec::redact), are hidden.
  std::vector<std::string> shown_context = {};
  /// Shows the fibers of the run it is in: names, what they wait in, ages; operators see stacks, too.
  bool shows_fibers = true;
  bool is_behind_https = false;              ///< a proxy in front speaks TLS: cookies are for https only
  std::chrono::seconds session{12 * 3600};   ///< then people log in again
  std::size_t sessions_max = 1000;           ///< more end the oldest ones
  std::size_t streams_max = 64;              ///< pages that are kept up to date at a time
  std::chrono::milliseconds interval{2000};  ///< between looks at the store
  const jobs::clock* clock = nullptr;        ///< null: the store's (store::clock); outlives the site
};

/// The pages and the JSON API over a store of jobs: what is in the queues, what failed and why, and what
/// people decide about it (docs/dashboard.md). Mounted on the router of any server:
///
///     dashboard::site site(store, {.operator_token = token, .keys = keys});
///     site.mount(server.routes(), "/jobs");
///
/// Nothing but the page itself, which has no data, is answered without a session or a token. Each change is a
/// log record: who, what, how many.
///
/// Thread-safety: mount() before the server starts; the handlers run on any of its threads. Lifetime: made
/// inside a weft::run, where it keeps a fiber that looks at the store; outlives the server. Sessions are kept
/// in this object: with several processes each has its own.
class site {
 public:
  /// Throws weft::error (invalid_argument) for a token that is missing or too short, two that are equal, or a
  /// trace_url or worker_url that is none.
  site(std::shared_ptr<jobs::store> shown, site_options options);
  site(const site&) = delete;
  site& operator=(const site&) = delete;
  /// Waits for its fiber.
  ~site();

  /// Adds its routes below `prefix`, "/jobs"; empty: at the root of a router of its own. Throws weft::error
  /// as router::add.
  void mount(http::router& on, std::string_view prefix = {});

  class state;  ///< the component's own

 private:
  std::shared_ptr<state> state_;
};

}  // namespace weft::inline v1::dashboard
