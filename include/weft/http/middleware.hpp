#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <weft/core/unique_function.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

namespace weft::inline v1::http {

namespace detail {

/// The rest of the way of one request: the middleware behind `place`, and the handler.
class request_chain {
 public:
  virtual void call(std::size_t place) = 0;
  /// As call(), but what is thrown becomes the answer.
  virtual void answer(std::size_t place) = 0;

 protected:
  ~request_chain() = default;
};

}  // namespace detail

/// What a middleware calls to let the request go on: the next middleware, at the end the handler. One that
/// does not call it has answered itself. Valid until the middleware returns; called at most once
/// (weft::error, misuse).
class next {
 public:
  next(detail::request_chain& chain, std::size_t place) noexcept : chain_(&chain), place_(place) {}
  next(const next&) = delete;
  next& operator=(const next&) = delete;

  /// What the others throw passes through the caller, up to the server's edge, where it becomes the answer in
  /// place of what was made by then, with all header fields.
  void operator()() {
    use_up();
    chain_->call(place_);
  }
  /// The same, but what the others throw becomes the answer here (500, or as status_error says), so that the
  /// caller sees and may change it. A cancellation passes, and so does the deadline of the handler.
  void answer() {
    use_up();
    chain_->answer(place_);
  }

 private:
  void use_up();

  detail::request_chain* chain_;
  std::size_t place_;
  bool used_ = false;
};

/// Code around handlers, of several requests at a time:
///
///     server.use([](http::request& in, http::response& out, http::next& next) {
///       if (!in.header("authorization")) throw http::status_error(401, "who are you?");
///       next();
///       out.header("X-Served-By", "weft");
///     });
///
/// After next() it may change status, header fields and a body that is whole; one that was streamed is sent
/// by then (response::is_streaming), and response::filter changes that.
using middleware = unique_function<void(request&, response&, next&)>;

}  // namespace weft::inline v1::http
