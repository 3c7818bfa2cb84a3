#pragma once

#include <memory>
#include <string>

#include <weft/process/child.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/server_status.hpp>

namespace weft::bench {

/// A fork server in a process of its own. Ends with this object.
class fork_server {
 public:
  /// `in_advance`: workers that it forks before their clients come. Throws unavailable where it cannot be
  /// started.
  explicit fork_server(std::size_t in_advance = 0);
  ~fork_server();
  fork_server(const fork_server&) = delete;
  fork_server& operator=(const fork_server&) = delete;

  /// A pool of `workers` of its workers, all started.
  workers::client pool(std::size_t workers,
                       workers::protocol_choice protocol = workers::protocol_choice::automatic) const;

  /// What it says it is doing.
  workers::server_figures status() const { return workers::server_status(address_); }

 private:
  std::string folder_;
  std::string address_;
  process::child process_;
};

/// Lets this process and those that it starts run on all cores again.
void use_all_cores();

}  // namespace weft::bench
