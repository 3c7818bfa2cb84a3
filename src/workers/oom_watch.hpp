#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::workers::detail {

/// Where the system tells of control groups.
struct cgroup_files {
  std::string own = "/proc/self/cgroup";  ///< which one this process is in
  std::string mount = "/sys/fs/cgroup";
};

/// Where watches made from now on look; for tests. Not to be called beside them.
void set_cgroup_files(cgroup_files where);

/// Whether it was the kernel, for want of memory, that killed a process of this one's control group: the
/// count of such kills (oom_kill, of version 1 or 2) has grown then.
///
/// The count does not say whom. So a kill is taken for that of a child which has been seen to die by SIGKILL,
/// not sent by this process, within a few seconds; each kill for one child. One that was seen for longer was
/// that of another process in the group. Where the system tells nothing, nobody was killed so.
class oom_watch {
 public:
  oom_watch();

  /// Readable as an exceptional condition when the count has changed; -1 where the system does not say.
  int fd() const noexcept { return file_.get(); }

  /// Looks at the count. To be called when fd() says so and, as it may not, at other times.
  void look(steady_time now) noexcept;
  /// A child has died by SIGKILL. Was it for want of memory? Takes the kill.
  bool take_kill(steady_time now) noexcept;

 private:
  struct seen_kills {
    steady_time when;
    std::uint64_t count;
  };
  std::optional<std::uint64_t> read_count() const noexcept;

  unique_fd file_;
  std::uint64_t count_ = 0;
  std::deque<seen_kills> unclaimed_;
};

}  // namespace weft::inline v1::workers::detail
