#pragma once

#include <string>
#include <vector>

namespace weft_test {

/// Is this process allowed to make network namespaces? Root is, but in some containers.
bool may_make_networks();

/// Several hosts of a network on this machine: one in the middle, and others that each have a line to it, in
/// network namespaces of their own. Gone with the object.
///
/// As root only. One thread.
class network_hosts {
 public:
  /// Throws weft::error with what `ip` says.
  explicit network_hosts(int others);
  network_hosts(const network_hosts&) = delete;
  network_hosts& operator=(const network_hosts&) = delete;
  ~network_hosts();

  /// Names of the namespaces: server_process::options::network.
  std::string middle() const;
  std::string other(int number) const;
  /// By which address that one reaches the one in the middle.
  static std::string middle_seen_from(int number);

  /// From now on nothing goes over its line, and nobody is told.
  void cut(int number);
  void mend(int number);

 private:
  void add(const std::string& name);
  void connect(int number);

  std::string start_;
  std::vector<std::string> made_;
};

}  // namespace weft_test
