#include "support/network_hosts.hpp"

#include <linux/capability.h>
#include <unistd.h>

#include <fstream>

#include <weft/core/error.hpp>
#include <weft/process/exec.hpp>

namespace weft_test {
namespace {

using arguments = std::vector<std::string>;

weft::exec_result run_ip(arguments words) {
  words.insert(words.begin(), "ip");
  return weft::exec(std::move(words));
}

void ip(const arguments& words) {
  const auto done = run_ip(words);
  if (done.ok()) return;
  std::string line;
  for (const auto& one : words) line += ' ' + one;
  throw weft::error(weft::errc::unavailable, "make a network: ip" + line + ": " + done.err);
}

std::string line_of(int number) { return "line" + std::to_string(number); }
std::string address(int number, int side) {
  return "10.77." + std::to_string(number) + '.' + std::to_string(side);
}

}  // namespace

bool may_make_networks() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    const auto held = std::stoull(line.substr(line.find('\t')), nullptr, 16);
    const auto needed = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_NET_ADMIN;
    return ::geteuid() == 0 && (held & needed) == needed;
  }
  return false;
}

network_hosts::network_hosts(int others) : start_("weft-" + std::to_string(::getpid()) + '-') {
  add(middle());
  for (int number = 1; number <= others; ++number) {
    add(other(number));
    connect(number);
  }
}

network_hosts::~network_hosts() {
  for (const auto& name : made_) run_ip({"netns", "del", name});
}

std::string network_hosts::middle() const { return start_ + "middle"; }
std::string network_hosts::other(int number) const { return start_ + std::to_string(number); }
std::string network_hosts::middle_seen_from(int number) { return address(number, 1); }

void network_hosts::add(const std::string& name) {
  ip({"netns", "add", name});
  made_.push_back(name);
  ip({"-n", name, "link", "set", "lo", "up"});
}

void network_hosts::connect(int number) {
  const std::string here = other(number);
  const std::string line = line_of(number);
  ip({"-n", here, "link", "add", "line", "type", "veth", "peer", "name", line, "netns", middle()});
  ip({"-n", here, "addr", "add", address(number, 2) + "/24", "dev", "line"});
  ip({"-n", middle(), "addr", "add", address(number, 1) + "/24", "dev", line});
  ip({"-n", here, "link", "set", "line", "up"});
  ip({"-n", middle(), "link", "set", line, "up"});
}

void network_hosts::cut(int number) { ip({"-n", middle(), "link", "set", line_of(number), "down"}); }
void network_hosts::mend(int number) { ip({"-n", middle(), "link", "set", line_of(number), "up"}); }

}  // namespace weft_test
