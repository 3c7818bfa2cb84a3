#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>

#include "workers/event_set.hpp"
#include "workers/unserved_client.hpp"

namespace weft::inline v1::workers::detail {

/// Clients of a listening server that have no worker.
///
/// One that has not said a word yet costs a descriptor and no process. Where there are too many of all of
/// them, or it was silent for too long, the oldest silent one is closed. One that has spoken waits in line
/// for a worker; its words stay unread.
///
/// Those that ask for the server's figures have places of their own: where too many do, the oldest of them is
/// closed, so nobody keeps clients away by asking.
///
/// One whose worker went between two checkouts is in its place again: it waits as soon as it says something,
/// and may be silent as long as it wants to while there is room.
class client_line {
 public:
  /// `silent_within`: how long a client may say nothing; 0: as long as there is room.
  client_line(event_set& events, std::size_t clients_max, std::chrono::nanoseconds silent_within)
      : events_(events), clients_max_(clients_max), silent_within_(silent_within) {}

  /// Is there room for another one, if need be in place of a silent one?
  bool has_room() const noexcept { return waiting_.size() < clients_max_; }
  void add(unique_fd connection);
  /// One that had a worker.
  void add_again(unserved_client client);

  /// Something came from this client, or it went.
  void look_at(std::uint64_t id, bool has_ended);
  /// Closes those that were silent for too long.
  void close_silent(steady_time now);
  /// When there is one to be closed.
  steady_time next_time() const noexcept;

  bool is_empty() const noexcept { return waiting_.empty(); }
  /// The next one that has spoken.
  unserved_client take_first();
  /// One that asked for the server's figures.
  std::optional<unique_fd> take_asker();
  /// Offers each, but for those that asked for figures, until one is not taken; the next time from that on.
  void give_away(const std::function<bool(const unserved_client&)>& takes);
  /// Those that have said nothing by now.
  void close_silent();
  void close_all() noexcept;

  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t silent() const noexcept { return silent_.size() + resting_.size(); }
  /// How many were closed because they said nothing, or asked where too many did.
  std::uint64_t closed() const noexcept { return closed_; }

 private:
  struct waiting_client {
    unserved_client who;
    steady_time since;
    std::list<std::uint64_t>* place = nullptr;  // the list it stands in
    std::list<std::uint64_t>::iterator at;
  };
  using table = std::unordered_map<std::uint64_t, waiting_client>;

  void move_to(table::iterator one, std::list<std::uint64_t>& place);
  unserved_client take(table::iterator one);
  table::iterator put(unserved_client client, std::list<std::uint64_t>& place);
  void make_room();
  void wait_for_figures(table::iterator one);
  void wait_for_worker(table::iterator one);

  event_set& events_;
  std::size_t clients_max_;
  std::chrono::nanoseconds silent_within_;
  table clients_;
  std::list<std::uint64_t> silent_;   // each in order of arrival
  std::list<std::uint64_t> resting_;  // silent, too, but had a worker
  std::list<std::uint64_t> waiting_;
  std::list<std::uint64_t> askers_;
  std::uint64_t next_id_ = 1;
  std::uint64_t closed_ = 0;
};

}  // namespace weft::inline v1::workers::detail
