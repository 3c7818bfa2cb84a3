#pragma once

#include <signal.h>

#include <string>

#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

namespace weft_test {

/// A Redis server of one test, on a Unix socket, which keeps nothing on disk. Gone when the object ends.
class redis_server {
 public:
  /// Waits until it takes connections. Throws weft::error with its output.
  redis_server() { running_.wait_for_output("eady to accept connections"); }

  /// Path of its socket.
  std::string path() const { return folder_ / "redis"; }

 private:
  scratch_folder folder_;
  server_process running_{
      {.command = {WEFT_REDIS_PROGRAM, "--port", "0", "--unixsocket", path(), "--save", "", "--appendonly",
                   "no", "--dir", folder_.path(), "--maxclients", "1000"},
       .stop_signal = SIGKILL}};
};

}  // namespace weft_test
