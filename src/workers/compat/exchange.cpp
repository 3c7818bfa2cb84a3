#include "workers/compat/exchange.hpp"

#include <string>
#include <utility>

#include "workers/native_call.hpp"

namespace weft::inline v1::workers::detail {

namespace {

compat::reply exchange(pool& pool, worker_link& link, const std::string& quoted, std::string_view sent,
                       call_bound bound) {
  // A closed connection shows again when the reply is read, behind what the worker said before.
  wire::json_value message;
  auto end = link.messages->write(sent, bound.until);
  if (end != stream_end::timed_out) end = link.messages->read(message, bound.until);
  if (end == stream_end::timed_out) throw_timed_out(pool, link, quoted, bound);
  if (end == stream_end::closed) throw death_of(link, pool.options(), "in the call " + quoted);
  return compat::read_reply(std::move(message));
}

}  // namespace

compat::reply exchange_compatibly(pool& pool, worker_link& link, std::string_view name,
                                  std::string_view arguments, call_bound bound) {
  // What cannot be sent costs no worker.
  const std::string quoted = in_quotes(name);
  const std::string sent = compat::write_call(name, arguments);
  if (sent.size() > link.message_bytes_max) throw_too_large(quoted, sent.size(), link.message_bytes_max);
  pool.count_call();
  try {
    auto reply = exchange(pool, link, quoted, sent, bound);
    if (!reply.ok) link.failed = true;
    return reply;
  } catch (...) {
    link.over = true;
    throw;
  }
}

}  // namespace weft::inline v1::workers::detail
