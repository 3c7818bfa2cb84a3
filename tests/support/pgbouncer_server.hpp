#pragma once

#include <signal.h>

#include <fstream>
#include <memory>
#include <string>

#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

namespace weft_test {

/// A connection pooler before a postgres_server: pgbouncer in transaction mode, with a few sessions for all
/// clients, on a Unix socket. It ends with the object.
class pgbouncer_server {
 public:
  /// Before the server whose socket is in `server_folder`. Waits until it takes connections.
  explicit pgbouncer_server(const std::string& server_folder, int sessions_max = 2) {
    const std::string settings = folder_ / "pgbouncer.ini";
    {
      std::ofstream file(settings);
      file << "[databases]\n* = host=" << server_folder << " user=weft\n"
           << "[pgbouncer]\npool_mode = transaction\nauth_type = any\nlisten_port = " << port << "\n"
           << "default_pool_size = " << sessions_max
           << "\nmax_client_conn = 500\nunix_socket_dir = " << folder_.path() << "\nserver_login_retry = 1\n";
    }
    if (is_root()) {
      give_to(folder_.path(), user);
      give_to(settings, user);
    }
    running_ = std::make_unique<server_process>(server_process::options{
        .command = {WEFT_PGBOUNCER_PROGRAM, settings}, .user = user, .stop_signal = SIGQUIT});
    running_->wait_for_output("process up");
  }

  static constexpr int port = 6432;
  std::string url() const {
    return "postgres://weft@/postgres?port=" + std::to_string(port) + "&host=" + folder_.path();
  }
  /// Where its socket is.
  const std::string& folder() const noexcept { return folder_.path(); }

 private:
  static inline const std::string user = "postgres";
  scratch_folder folder_;
  std::unique_ptr<server_process> running_;
};

}  // namespace weft_test
