#include <sys/socket.h>
#include <cerrno>
#include <mutex>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/process/supervisor.hpp>

#include "process/supervisor_line.hpp"

namespace weft::inline v1::process {

void supervised::ready() { send({&detail::word_ready, 1}); }

void supervised::ask_for_successor() { send({&detail::word_successor, 1}); }

void supervised::tell_others(std::string_view message) {
  if (message.size() > message_bytes_max) {
    throw error(errc::too_large, "process: a message to the other processes has " +
                                     std::to_string(message.size()) + " bytes; at most " +
                                     std::to_string(message_bytes_max) + " are possible");
  }
  std::string frame(1, detail::word_message);
  frame += message;
  send(frame);
}

void supervised::send(std::string_view frame) {
  const std::lock_guard lock(sending_);
  while (::send(line_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait_writable(line_.get());
    } else if (errno != EINTR) {
      throw error(errc::closed, "process: the supervisor is gone");
    }
  }
}

supervisor_word supervised::hear() {
  heard_.resize(message_bytes_max + 1);
  while (true) {
    const ssize_t got = ::recv(line_.get(), heard_.data(), heard_.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_readable(line_.get());
    } else if (got == 0 || (got < 0 && errno != EINTR)) {
      return {};
    } else if (got > 0) {
      const char word = heard_.front();
      if (word == detail::word_leave) return {supervisor_word::kind::leave};
      if (word == detail::word_stop) return {};
      return {supervisor_word::kind::message, heard_.substr(1, static_cast<std::size_t>(got) - 1)};
    }
  }
}

}  // namespace weft::inline v1::process
