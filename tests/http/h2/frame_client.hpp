#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/http/server.hpp>

#include "http/h2/h2_client.hpp"
#include "http/raw_client.hpp"

// Frames of HTTP/2 by hand.

namespace weft::http {

inline constexpr int data_type = 0, headers_type = 1, priority_type = 2, reset_type = 3, settings_type = 4,
                     ping_type = 6, go_away_type = 7, window_type = 8, continuation_type = 9;
inline constexpr int end_stream = 1, ack = 1, end_headers = 4;
inline constexpr std::uint32_t no_error = 0, protocol_error = 1, refused_stream = 7, compression_error = 9,
                               enhance_your_calm = 11;

struct frame {
  int type = 0;
  int flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

inline std::string number(std::uint32_t value, int bytes) {
  std::string made;
  for (int i = bytes - 1; i >= 0; --i) made += static_cast<char>(value >> (8 * i) & 0xff);
  return made;
}

inline std::uint32_t number_of(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char one : bytes) value = value << 8 | static_cast<unsigned char>(one);
  return value;
}

inline std::string bytes_of(const frame& one) {
  return number(static_cast<std::uint32_t>(one.payload.size()), 3) + static_cast<char>(one.type) +
         static_cast<char>(one.flags) + number(one.stream, 4) + one.payload;
}

/// HPACK without tables and without Huffman's code.
inline std::string packed(const h2_client::fields& all) {
  const auto text = [](const std::string& of) {
    if (of.size() < 127) return static_cast<char>(of.size()) + of;
    std::string made(1, 127);
    std::size_t left = of.size() - 127;
    for (; left >= 128; left /= 128) made += static_cast<char>(left % 128 + 128);
    return made + static_cast<char>(left) + of;
  };
  std::string made;
  for (const auto& [name, value] : all) made += '\0' + text(name) + text(value);
  return made;
}

inline const h2_client::fields good_get = {
    {":method", "GET"}, {":scheme", "http"}, {":authority", "test"}, {":path", "/"}};

inline h2_client::fields with(h2_client::fields head, const std::string& name, const std::string& value) {
  for (auto& [one, was] : head) {
    if (one == name) {
      was = value;
      return head;
    }
  }
  head.emplace_back(name, value);
  return head;
}

/// Sends frames as they are given, and takes apart what comes.
class frame_client {
 public:
  explicit frame_client(const server& to) : raw_(to) {
    raw_.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    send({settings_type, 0, 0, ""});
  }
  void send(const frame& one) { raw_.send(bytes_of(one)); }
  /// The server may have closed meanwhile.
  void flood(const frame& one, int times) {
    std::string many;
    for (int i = 0; i < times; ++i) many += bytes_of(one);
    flood(many);
  }
  void flood(std::string_view bytes) {
    try {
      raw_.send(bytes);
    } catch (const error&) {
    }
  }
  void get(std::uint32_t stream, const h2_client::fields& head = good_get,
           int flags = end_headers | end_stream) {
    send({headers_type, flags, stream, packed(head)});
  }
  /// Asks for `path` on stream 1, which answers without end, and reads nothing of it. What the server has to
  /// send from here on waits in it; until it is read() after all.
  void stuff(const std::string& path) {
    send({settings_type, 0, 0, number(4, 2) + number(0x7000'0000, 4)});
    send({window_type, 0, 0, number(0x7000'0000, 4)});
    get(1, with(good_get, ":path", path));
  }
  frame read() {
    const std::string head = raw_.read_exactly(9);
    frame one{.type = head[3], .flags = head[4], .stream = number_of(head.substr(5)), .payload = {}};
    one.payload = raw_.read_exactly(number_of(head.substr(0, 3)));
    return one;
  }
  frame read_until(int type) {
    while (true) {
      frame one = read();
      if (one.type == type) return one;
    }
  }
  /// Until the stream ends.
  void read_all_of(std::uint32_t stream) {
    while (true) {
      const frame one = read();
      const bool carries = one.type == headers_type || one.type == data_type;
      if (one.stream == stream && (one.type == reset_type || (carries && (one.flags & end_stream) != 0)))
        return;
    }
  }
  /// The error of the GOAWAY that ends it.
  std::uint32_t read_go_away() { return number_of(read_until(go_away_type).payload.substr(4, 4)); }
  /// Everything until the server closes; it may have been reset.
  void read_to_end() {
    try {
      raw_.read_to_end();
    } catch (const error& failed) {
      if (failed.code() == errc::timed_out) throw;
    }
  }
  raw_client& raw() noexcept { return raw_; }

 private:
  raw_client raw_;
};

}  // namespace weft::http
