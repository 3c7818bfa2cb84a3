#include "workers/client_line.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "workers/status_request.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// Those that a clerk takes within the time that a client waits for its answer.
constexpr std::size_t askers_max = 16;

enum class first_words : unsigned char { none, gone, part_of_request, status_request, other };

// What the client has said so far, which stays there for its worker.
first_words peek(const unserved_client& client) {
  char said[status_request_bytes_max];
  const ssize_t got = ::recv(client.connection.get(), said, sizeof said, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? first_words::none : first_words::gone;
  if (got == 0) return first_words::gone;
  if (client.is_compatible) return first_words::other;
  switch (recognise_status_request({said, static_cast<std::size_t>(got)})) {
    case is_status_request::in_part:
      return first_words::part_of_request;
    case is_status_request::yes:
      return first_words::status_request;
    case is_status_request::no:
      break;
  }
  return first_words::other;
}

}  // namespace

void client_line::make_room() {
  while (clients_.size() - askers_.size() >= clients_max_) {
    const auto& from = silent_.empty() ? resting_ : silent_;
    if (from.empty()) return;
    const auto id = from.front();
    look_at(id, true);  // it may have spoken
    if (clients_.contains(id)) continue;
    ++closed_;
    return;
  }
}

client_line::table::iterator client_line::put(unserved_client client, std::list<std::uint64_t>& place) {
  make_room();
  const auto id = next_id_++;
  events_.watch(client.connection.get(), event_kind::client, id, event_set::what::new_input);
  const auto at =
      clients_.emplace(id, waiting_client{std::move(client), steady_clock::now(), nullptr, {}}).first;
  move_to(at, place);
  return at;
}

void client_line::add(unique_fd connection) {
  const auto at = put({.connection = std::move(connection)}, silent_);
  look_at(at->first, false);  // usually it has spoken by now
}

void client_line::add_again(unserved_client client) {
  const bool has_spoken = !client.said.empty();
  const auto at = put(std::move(client), resting_);
  if (has_spoken) {
    wait_for_worker(at);
  } else {
    look_at(at->first, false);
  }
}

void client_line::wait_for_worker(table::iterator one) {
  events_.change(one->second.who.connection.get(), event_kind::client, one->first, event_set::what::end);
  move_to(one, waiting_);
}

void client_line::wait_for_figures(table::iterator one) {
  events_.change(one->second.who.connection.get(), event_kind::client, one->first, event_set::what::end);
  move_to(one, askers_);
  if (askers_.size() <= askers_max) return;
  take(clients_.find(askers_.front()));
  ++closed_;
}

void client_line::look_at(std::uint64_t id, bool has_ended) {
  const auto at = clients_.find(id);
  if (at == clients_.end()) return;
  auto& one = at->second;
  if (one.place != &silent_ && one.place != &resting_) {
    if (has_ended) take(at);
    return;
  }
  switch (peek(one.who)) {
    case first_words::none:
    case first_words::part_of_request:
      if (has_ended) take(at);
      break;
    case first_words::gone:
      take(at);
      break;
    case first_words::status_request:
      wait_for_figures(at);
      break;
    case first_words::other:
      wait_for_worker(at);
      break;
  }
}

void client_line::move_to(table::iterator one, std::list<std::uint64_t>& place) {
  auto& client = one->second;
  if (client.place != nullptr) client.place->erase(client.at);
  client.place = &place;
  client.at = place.insert(place.end(), one->first);
}

unserved_client client_line::take(table::iterator one) {
  unserved_client client = std::move(one->second.who);
  events_.forget(client.connection.get());
  one->second.place->erase(one->second.at);
  clients_.erase(one);
  return client;
}

unserved_client client_line::take_first() { return take(clients_.find(waiting_.front())); }

std::optional<unique_fd> client_line::take_asker() {
  if (askers_.empty()) return std::nullopt;
  return take(clients_.find(askers_.front())).connection;
}

void client_line::give_away(const std::function<bool(const unserved_client&)>& takes) {
  for (auto* const place : {&waiting_, &resting_, &silent_}) {
    while (!place->empty()) {
      const auto one = clients_.find(place->front());
      if (!takes(one->second.who)) return;
      take(one);
    }
  }
}

steady_time client_line::next_time() const noexcept {
  if (silent_.empty() || silent_within_.count() <= 0) return no_deadline;
  return clients_.at(silent_.front()).since + silent_within_;
}

void client_line::close_silent(steady_time now) {
  while (next_time() <= now) {
    take(clients_.find(silent_.front()));
    ++closed_;
  }
}

void client_line::close_silent() {
  for (auto* const place : {&silent_, &resting_}) {
    for (const auto id : std::list<std::uint64_t>(*place)) look_at(id, true);
  }
}

void client_line::close_all() noexcept {
  for (const auto& [id, one] : clients_) events_.forget(one.who.connection.get());
  clients_.clear();
  silent_.clear();
  resting_.clear();
  waiting_.clear();
  askers_.clear();
}

}  // namespace weft::inline v1::workers::detail
