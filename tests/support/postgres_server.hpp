#pragma once

#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

namespace weft_test {

/// A PostgreSQL server of one test, in a folder of its own, on a Unix socket. Gone, with all its data, when
/// the object ends.
///
/// As root it runs as the user `postgres`, whom its package makes: it refuses to run as root.
class postgres_server {
 public:
  struct options {
    int connections_max = 120;
    bool durable = false;  ///< flushed to disk, and all else as PostgreSQL has it by default, too
  };
  postgres_server() : postgres_server(options()) {}
  /// Waits until it takes connections; about a second. Throws weft::error with its output.
  explicit postgres_server(const options& how) {
    const std::string data = folder_ / "data";
    if (is_root()) give_to(folder_.path(), user);
    server_process making(
        {.command = {programs + "/initdb", "--pgdata=" + data, "--username=weft", "--auth=trust", "--no-sync",
                     "--no-locale", "--encoding=UTF8", "--no-instructions"},
         .user = user});
    const int status = making.wait();
    if (status != 0) making.wait_for_output("a text that it has not written");  // throws what it has
    std::vector<std::string> command{programs + "/postgres",
                                     "-D",
                                     data,
                                     "-k",
                                     folder_.path(),
                                     "-h",
                                     "",
                                     "-N",
                                     std::to_string(how.connections_max)};
    const std::vector<std::string> quick{
        "-F", "-c", "shared_buffers=16MB", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"};
    if (!how.durable) command.insert(command.end(), quick.begin(), quick.end());
    running_ = std::make_unique<server_process>(
        server_process::options{.command = std::move(command), .user = user, .stop_signal = SIGQUIT});
    running_->wait_for_output("database system is ready to accept connections");
  }

  /// The folder of its socket.
  const std::string& folder() const noexcept { return folder_.path(); }
  /// For PQconnectdb: database postgres, user weft.
  std::string connection() const { return "host=" + folder_.path() + " user=weft dbname=postgres"; }
  /// Where its socket is.
  const std::string& folder() const noexcept { return folder_.path(); }
  /// The same as a URL.
  std::string url() const { return "postgres://weft@/postgres?host=" + folder_.path(); }

 private:
  static inline const std::string user = "postgres";
  static inline const std::string programs = WEFT_POSTGRES_PROGRAMS;
  scratch_folder folder_;
  std::unique_ptr<server_process> running_;
};

}  // namespace weft_test
