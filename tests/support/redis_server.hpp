#pragma once

#include <signal.h>

#include <string>

#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

namespace weft_test {

/// A Redis server of one test, on a Unix socket. Gone, with all its data, when the object ends.
class redis_server {
 public:
  struct options {
    bool durable = false;  ///< each write is on disk before its answer; else nothing is
  };
  redis_server() : redis_server(options()) {}
  /// Waits until it takes connections. Throws weft::error with its output.
  explicit redis_server(const options& how)
      : running_({.command = {WEFT_REDIS_PROGRAM, "--port", "0", "--unixsocket", path(), "--save", "",
                              "--appendonly", how.durable ? "yes" : "no", "--appendfsync", "always", "--dir",
                              folder_.path(), "--maxclients", "1000"},
                  .stop_signal = SIGKILL}) {
    running_.wait_for_output("eady to accept connections");
  }

  /// Path of its socket.
  std::string path() const { return folder_ / "redis"; }

 private:
  scratch_folder folder_;
  server_process running_;
};

}  // namespace weft_test
