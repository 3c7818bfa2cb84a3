#pragma once

#include <string_view>

#include <weft/core/clock.hpp>

#include "http/answer_writer.hpp"
#include "http/head_parser.hpp"
#include "http/server_lane.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// The record of one request in the access log, written when this ends, however the answer went.
class access_entry {
 public:
  access_entry(const server_options& options, const request_head& head, std::string_view route,
               const answer_writer& writer, const transport& peer) noexcept
      : options_(options), head_(head), route_(route), writer_(writer), peer_(peer) {
    if (options_.access_log) since_ = steady_clock::now();
  }
  access_entry(const access_entry&) = delete;
  access_entry& operator=(const access_entry&) = delete;
  ~access_entry() {
    if (options_.access_log) write();
  }

 private:
  void write() const noexcept;

  const server_options& options_;
  const request_head& head_;
  std::string_view route_;
  const answer_writer& writer_;
  const transport& peer_;
  steady_time since_;
};

}  // namespace weft::inline v1::http::detail
