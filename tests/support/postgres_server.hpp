#pragma once

#include <signal.h>

#include <fstream>
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
    std::vector<std::string> settings = {};  ///< further ones, "name=value"
    std::string network = {};  ///< server_process::options::network: everybody there may connect by TCP
    bool durable = false;      ///< flushed to disk, and all else as PostgreSQL has it by default, too
  };
  postgres_server() : postgres_server(options()) {}
  /// Waits until it takes connections; about a second. Throws weft::error with its output.
  explicit postgres_server(options how) : how_(std::move(how)) {
    if (is_root()) give_to(folder_.path(), user);
    server_process making(
        {.command = {programs + "/initdb", "--pgdata=" + data(), "--username=weft", "--auth=trust",
                     "--no-sync", "--no-locale", "--encoding=UTF8", "--no-instructions"},
         .user = user});
    const int status = making.wait();
    if (status != 0) making.wait_for_output("a text that it has not written");  // throws what it has
    if (!how_.network.empty())
      std::ofstream(data() + "/pg_hba.conf", std::ios::app) << "host all all all trust\n";
    start();
  }

  /// Starts it again after stop(); what was committed is there.
  void start() {
    std::vector<std::string> command{programs + "/postgres",
                                     "-D",
                                     data(),
                                     "-k",
                                     folder_.path(),
                                     "-h",
                                     "",
                                     "-N",
                                     std::to_string(how_.connections_max)};
    std::vector<std::string> settings = how_.settings;
    if (!how_.durable) {
      const auto quick = {"fsync=off", "shared_buffers=16MB", "full_page_writes=off"};
      settings.insert(settings.end(), quick.begin(), quick.end());
    }
    if (!how_.network.empty()) settings.emplace_back("listen_addresses=*");
    for (const std::string& one : settings) command.insert(command.end(), {"-c", one});
    running_ = std::make_unique<server_process>(server_process::options{
        .command = std::move(command), .user = user, .stop_signal = SIGQUIT, .network = how_.network});
    running_->wait_for_output("database system is ready to accept connections");
  }
  /// Ends it at once, with all its sessions, without a word to them.
  void stop() { running_.reset(); }
  /// Its first process, whose end is that of all.
  pid_t id() const noexcept { return running_->id(); }

  /// For PQconnectdb: database postgres, user weft.
  std::string connection() const { return "host=" + folder_.path() + " user=weft dbname=postgres"; }
  /// Where its socket is.
  const std::string& folder() const noexcept { return folder_.path(); }
  /// connection() as a URL.
  std::string url() const { return "postgres://weft@/postgres?host=" + folder_.path(); }

 private:
  std::string data() const { return folder_ / "data"; }

  static inline const std::string user = "postgres";
  static inline const std::string programs = WEFT_POSTGRES_PROGRAMS;
  const options how_;
  scratch_folder folder_;
  std::unique_ptr<server_process> running_;
};

}  // namespace weft_test
