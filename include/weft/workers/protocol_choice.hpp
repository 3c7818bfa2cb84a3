#pragma once

namespace weft::inline v1::workers {

/// What a client speaks with the server of another program.
enum class protocol_choice : unsigned char {
  automatic,   ///< native with a server of weft, else compatible; the server is asked at connect
  native,      ///< weft's own: context, deadlines, cancellation, closures and typed errors travel
  compatible,  ///< that of Perl's AnyEvent::Task: JSON, calls by name only
};

}  // namespace weft::inline v1::workers
