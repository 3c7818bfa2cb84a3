#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "http/h2/session.hpp"

namespace weft::inline v1::http::detail::h2 {

/// What one connection holds in bodies that come as a whole before their handlers begin, and which of them
/// may go on. An account only: its connection hands the windows back, and refuses.
///
/// - Each body comes as far as the first window of its stream. Once half of that is used and more is to come,
///   it asks to go on: it is let on when all that it may become has room within the bound, beside what the
///   others hold, may become, or may still send on their first windows. They are let on in the order in which
///   their streams began; who is not lets its client wait, behind a window that stays shut. So what was let
///   on can always become whole: no two half bodies wait for one another.
/// - Where nothing that was let on is still coming, the oldest that asks goes on without that room, while
///   all else is within the bound. Thus a body larger than the bound is taken, too, and first windows that
///   fill the bound do not keep everybody out. At most one body is beyond the bound.
/// - What a client may send at once is not in this side's hands: first windows may be too many for the bound
///   where handlers keep much, or where streams_max times the window is larger. Then the newest are refused:
///   their handlers have not begun, so their clients may safely send them again.
///
/// Why not by the window of the connection, as Go's server has it (MaxUploadBufferPerConnection): whoever
/// waits on that one waits for the slowest of all streams, those whose handlers stream their bodies included,
/// and it is the client who chooses which body gets what is left of it, so that half bodies may wait for one
/// another. Envoy resets the largest streams when memory is short; here it is the newest, because the oldest
/// is nearest to its end, and because a large body has to get through as well.
///
/// Not thread-safe. All numbers are bytes.
class gathered_bodies {
 public:
  /// Holds at most `bytes_max`, and one body; `window` is the first window of each stream.
  gathered_bodies(std::size_t bytes_max, std::size_t window) noexcept;

  /// A body begins that may become as large as `bytes_max`.
  void begin(stream_id id, std::uint64_t bytes_max);
  /// So much of one came. How much of its window is to be handed back: nothing for one that was not let on.
  /// What is not gathered gets back what came.
  std::size_t came(stream_id id, std::size_t bytes) noexcept;
  /// All of it is here, and is held until forget().
  void whole(stream_id id) noexcept;
  void forget(stream_id id) noexcept;

  struct turn {
    stream_id id;
    std::size_t bytes;  ///< of its window, to be handed back
    bool has_waited;    ///< its client could send nothing meanwhile
  };
  /// Lets the next body on that may; to be asked again until there is none.
  std::optional<turn> let_on() noexcept;
  /// Which body has to be refused; to be asked again, once that one is forgotten, until there is none.
  std::optional<stream_id> one_too_many() noexcept;

  /// May its client send nothing until it is let on?
  bool waits(stream_id id) const noexcept;
  std::size_t bytes() const noexcept { return held_; }

 private:
  enum class state : unsigned char { first_window, asking, let_on, whole };
  struct body {
    std::size_t bytes_max;
    std::size_t held = 0;
    state is = state::first_window;
  };
  std::size_t promised(const body& one) const noexcept;
  void become(body& one, state next) noexcept;

  const std::size_t bytes_max_;
  const std::size_t window_;
  std::map<stream_id, body> bodies_;  // in the order of their begin
  std::size_t held_ = 0;              // by all
  std::size_t promised_ = 0;          // to all: what they may come to hold without being asked
  std::size_t asking_ = 0;            // bodies
  std::size_t let_on_ = 0;            // bodies that come
  stream_id beyond_ = 0;              // the one that may be beyond the bound; 0 for none
};

}  // namespace weft::inline v1::http::detail::h2
