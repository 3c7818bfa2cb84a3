#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <weft/closure/services.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/http/request.hpp>
#include <weft/http/router.hpp>

#include "http/answer_writer.hpp"
#include "http/request_body.hpp"

namespace weft::inline v1::http::detail {

/// A request from its head to its answer: finds the route and runs middleware and handler, whose exceptions
/// end here.
///
/// For each request: find(), and serve() once as much of the body is here as the route wants.
class exchange final : request_chain, request_services {
 public:
  exchange(server_lane& lane, const request_head& asked, request_body& body, answer_writer& writer) noexcept
      : lane_(lane), asked_(asked), body_(body), writer_(writer) {}
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// Looks up what the request asks for.
  void find();
  /// The pattern of the route; empty for none.
  std::string_view route() const noexcept { return match_.pattern; }
  const route_options& options() const noexcept { return match_.options; }

  /// Makes the answer, which may be sent in part by then. Throws weft::cancelled where the cancellation
  /// came from outside.
  void serve();

  /// The client has gone, or wants no answer any more: the handler is cancelled, if its route wants that.
  /// Called by another fiber of the loop.
  void client_left() noexcept;
  bool has_client_left() const noexcept { return client_left_; }

 private:
  void run();
  void turn_away();
  std::string request_id_of() const;
  void call(std::size_t place) override;
  void answer(std::size_t place) override;
  weft::services& get() override;
  void answer_without_handler();
  void run_traced();
  void run_in_span();
  void run_bounded();
  void answer_exception();
  steady_time own_deadline() const;
  steady_time client_deadline() const;

  server_lane& lane_;
  const request_head& asked_;
  request_body& body_;
  answer_writer& writer_;
  router::match match_;
  request* request_ = nullptr;     // while it runs
  cancel_scope* bound_ = nullptr;  // of the handler, while it runs
  bool client_left_ = false;
  std::optional<weft::services> services_;  // of this request, if it asked
};

}  // namespace weft::inline v1::http::detail
