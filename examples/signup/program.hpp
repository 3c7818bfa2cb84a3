#pragma once

#include <memory>
#include <string>

#include <weft/closure/services.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "settings.hpp"
#include "users.hpp"

namespace signup {

/// The running service: queue, worker and HTTP server on one folder. Made and destroyed inside
/// weft::run; its end stops it in order.
class program {
 public:
  /// Starts everything. Throws weft::error that says what cannot be opened.
  program(const settings& from, weft::services& app);
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program();

  std::string url() const { return server_.url(); }
  weft::jobs::queue& queue() noexcept { return queue_; }
  users& everybody() noexcept { return users_; }
  /// Jobs that have not ended.
  std::size_t unfinished_jobs();

 private:
  weft::jobs::queue queue_;
  users users_;
  weft::jobs::worker worker_;
  weft::http::server server_;
  weft::fiber<void> working_;
};

/// Posts the list, waits until every mail is delivered, checks and reports. The exit status: 0 only if
/// every accepted sign-up has exactly one mail.
int run_demo(const settings& from, program& service);

}  // namespace signup
