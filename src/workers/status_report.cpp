#include "workers/status_report.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/stream.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/frame.hpp>

#include "workers/protocol.hpp"
#include "workers/status_request.hpp"

namespace weft::workers {

namespace detail {

namespace {

std::string make_request() {
  bytes made = to_bytes(native_magic);
  write_plain(made, frame_type::status, 0);
  return std::string(as_text(made));
}

}  // namespace

std::string_view status_request() {
  static const std::string request = make_request();
  return request;
}

std::uint64_t resident_bytes_of(pid_t pid) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/statm", static_cast<int>(pid));
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "re"), &std::fclose);
  unsigned long pages = 0;
  if (file == nullptr || std::fscanf(file.get(), "%*u %lu", &pages) != 1) return 0;
  return std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bytes write_status(server_figures figures) {
  figures.resident_bytes = resident_bytes_of(static_cast<pid_t>(figures.pid));
  for (auto& one : figures.workers) one.resident_bytes = resident_bytes_of(static_cast<pid_t>(one.pid));
  bytes out;
  wire::append_frame(out, static_cast<std::uint8_t>(frame_type::status_of_server), 0, 0,
                     wire::to_binary(figures));
  return out;
}

void send_status(int connection, server_figures figures) {
  const bytes said = write_status(std::move(figures));
  std::string_view rest = as_text(said);
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace detail

namespace {

wire::frame read_one_frame(net::stream& from, const std::string& tried, steady_time until) {
  wire::frame_reader reader;
  while (true) {
    char piece[4096];
    const auto got = from.read_some_until(piece, until);
    if (!got) throw error(errc::unavailable, tried + ": it does not answer");
    if (*got == 0) {
      throw error(errc::unavailable,
                  tried + ": it ended the connection; is it a server of weft, and may this user connect?");
    }
    reader.append(as_bytes(std::string_view(piece, *got)));
    if (auto whole = reader.next()) return std::move(*whole);
  }
}

}  // namespace

server_figures server_status(std::string_view address, std::chrono::nanoseconds bound) {
  const std::string tried = "workers: ask the server at \"" + std::string(address) + "\" what it is doing";
  const auto until = deadline_after(bound);
  auto connection = net::stream::connect(net::endpoint::parse(address), until);
  const std::string_view request = detail::status_request();
  if (!connection.write_all_until(std::span(&request, 1), until)) {
    throw error(errc::unavailable, tried + ": it does not listen to what is said");
  }
  const auto answer = read_one_frame(connection, tried, until);
  if (answer.type != static_cast<std::uint8_t>(detail::frame_type::status_of_server)) {
    throw error(errc::malformed, tried + ": it answered something else");
  }
  return wire::from_binary<server_figures>(answer.payload);
}

}  // namespace weft::workers
