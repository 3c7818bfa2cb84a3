#pragma once

#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/http/response.hpp>

#include "http/byte_buffer.hpp"
#include "http/chunk_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/transport.hpp"

namespace weft::http::detail {

/// One connection of a client: a request, its response, and so on.
class client_link {
 public:
  client_link(transport connected, const limits& bounds)
      : stream_(std::move(connected)), parser_(bounds), decoder_(bounds), limits_(bounds) {}

  /// How an exchange ended that gave no response.
  enum class failed : unsigned char {
    no,
    unsent,      ///< the peer had closed before it had the whole request
    unanswered,  ///< the peer closed without a byte of a response
  };
  /// Sends a request and reads its response. Throws weft::error for what a repetition cannot mend.
  failed exchange(std::string_view method, std::string_view head, std::string_view body, steady_time until,
                  response& into);

  /// May the next request go over it?
  bool is_reusable() const noexcept { return reusable_; }
  /// Still open, with nothing received since?
  bool is_quiet() noexcept { return stream_.is_quiet(); }

 private:
  bool send(std::string_view head, std::string_view body, steady_time until);
  bool read_head(std::string_view method, steady_time until);
  void read_body(std::string& into, steady_time until);
  void read_chunked(std::string& into, steady_time until);
  void read_to_end(std::string& into, steady_time until);
  /// False: the peer has ended.
  bool fill(steady_time until);
  void fill_or_throw(steady_time until);

  transport stream_;
  byte_buffer buffer_;
  response_parser parser_;
  chunk_decoder decoder_;
  limits limits_;
  bool reusable_ = false;
};

}  // namespace weft::http::detail
