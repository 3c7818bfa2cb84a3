#pragma once

#include <atomic>
#include <memory>

#include <weft/dashboard/site.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/route_group.hpp>

#include "dashboard/bulk.hpp"
#include "dashboard/guard.hpp"
#include "dashboard/sampler.hpp"
#include "dashboard/sessions.hpp"

namespace weft::inline v1::dashboard {

/// What the handlers share.
class site::state {
 public:
  state(std::shared_ptr<jobs::store> shown, site_options given);

  jobs::store& in() noexcept { return *store; }
  jobs::moment now() const { return options.clock->now(); }

  const std::shared_ptr<jobs::store> store;
  const site_options options;
  sessions open;
  guard door;
  sampler samples;
  bulk changes;
  std::atomic<std::size_t> streams{0};
  fiber<void> looks;  // at the store, now and then
};

/// The answers below api/ that change nothing, and those that do. `to` has asked who it is.
void add_reads(http::route_group to, site::state& of);
void add_changes(http::route_group to, site::state& of);

/// The filter that the query of a request for jobs says: state, queue, tag, closure, error, from, to, and the
/// group of errors. Throws status_error (400) for what is no such thing.
jobs::search_filter filter_in(site::state& of, const http::request& in);
/// The same of such a query alone.
jobs::search_filter filter_in(site::state& of, std::string_view query);

}  // namespace weft::inline v1::dashboard
