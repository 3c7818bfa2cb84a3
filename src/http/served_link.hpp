#pragma once

namespace weft::inline v1::http::detail {

/// A connection of a lane, in whatever protocol, as the stages of a stop see it. Called on the lane's loop,
/// by another fiber than its own.
class served_link {
 public:
  /// The server stops: what comes from here on is served, but the client shall know.
  virtual void stop_begins() noexcept = 0;
  /// Ends the connection as soon as no request is under way.
  virtual void end_soon() noexcept = 0;

 protected:
  ~served_link() = default;
};

}  // namespace weft::inline v1::http::detail
