#include "workers/refusal.hpp"

#include <algorithm>
#include <string>

#include <sys/socket.h>

#include <weft/codec/bytes.hpp>
#include <weft/wire/json.hpp>

#include "workers/compat/message.hpp"
#include "workers/protocol.hpp"
#include "workers/recognition.hpp"

namespace weft::inline v1::workers::detail {

void refuse(const unserved_client& client, std::string_view why) {
  const int connection = client.connection.get();
  char said[native_offer.size()];
  const ssize_t got = ::recv(connection, said, sizeof said, MSG_PEEK | MSG_DONTWAIT);
  if (got <= 0 && client.said.empty()) return;
  const std::string_view heard(said, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const bool is_native = !client.is_compatible && !heard.empty() &&
                         (heard.front() == native_magic.front() || heard == native_offer);
  std::string answer;
  if (is_native) {
    bytes frame;
    write_refused(frame, why);
    if (heard == native_offer) answer = native_magic;
    answer += as_text(frame);
  } else {
    answer = compat::write_reply(false, wire::to_text(why), {});
  }
  [[maybe_unused]] const auto sent =
      ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace weft::inline v1::workers::detail
