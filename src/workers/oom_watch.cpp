#include "workers/oom_watch.hpp"

#include <charconv>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace weft::inline v1::workers::detail {

namespace {

// Between the kernel's count and the end of who it killed.
constexpr auto belongs_within = std::chrono::seconds(5);

cgroup_files& files() {
  static cgroup_files where;
  return where;
}

// Lines "7:memory:/path" of version 1 and "0::/path" of version 2.
struct membership {
  std::string memory;  // version 1
  std::string unified;
};

membership read_membership(const std::string& from) {
  membership found;
  std::ifstream lines(from);
  for (std::string line; std::getline(lines, line);) {
    const auto controllers = line.find(':') + 1;
    const auto path = line.find(':', controllers);
    if (controllers == 0 || path == std::string::npos) continue;
    std::string named(1, ',');
    named.append(line, controllers, path - controllers).append(1, ',');
    if (named.find(",memory,") != std::string::npos) found.memory = line.substr(path + 1);
    if (named == ",,") found.unified = line.substr(path + 1);
  }
  return found;
}

// In the order of trust. In a container the path may be that of the host, and the mount its own group's.
std::vector<std::string> candidates(const cgroup_files& where) {
  const auto in = read_membership(where.own);
  std::vector<std::string> all;
  if (!in.memory.empty()) {
    all.push_back(where.mount + "/memory" + in.memory + "/memory.oom_control");
    all.push_back(where.mount + "/memory/memory.oom_control");
  }
  if (!in.unified.empty()) {
    for (const char* const name : {"/memory.events.local", "/memory.events"}) {
      all.push_back(where.mount + in.unified + name);
      all.push_back(where.mount + name);
    }
  }
  return all;
}

}  // namespace

void set_cgroup_files(cgroup_files where) { files() = std::move(where); }

oom_watch::oom_watch() {
  for (const auto& path : candidates(files())) {
    file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto count = file_ ? read_count() : std::nullopt;
    if (!count) continue;
    count_ = *count;
    return;
  }
  file_.reset();
}

// "name number" in each line.
std::optional<std::uint64_t> oom_watch::read_count() const noexcept {
  char raw[1024];
  const ssize_t got = ::pread(file_.get(), raw, sizeof raw, 0);
  if (got <= 0) return std::nullopt;
  const std::string_view text(raw, static_cast<std::size_t>(got));
  constexpr std::string_view name = "oom_kill ";
  auto at = text.find(name);
  while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n') at = text.find(name, at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(at + name.size());
  std::uint64_t count = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), count).ec != std::errc())
    return std::nullopt;
  return count;
}

void oom_watch::look(steady_time now) noexcept {
  while (!unclaimed_.empty() && now - unclaimed_.front().when > belongs_within) unclaimed_.pop_front();
  if (!file_) return;
  const auto count = read_count();
  if (!count || *count == count_) return;
  if (*count > count_) unclaimed_.push_back({now, *count - count_});
  count_ = *count;
}

bool oom_watch::take_kill(steady_time now) noexcept {
  look(now);
  if (unclaimed_.empty()) return false;
  if (--unclaimed_.front().count == 0) unclaimed_.pop_front();
  return true;
}

}  // namespace weft::inline v1::workers::detail
