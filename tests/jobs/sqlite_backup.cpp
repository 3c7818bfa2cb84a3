#include <cerrno>
#include <cstddef>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <weft/jobs/maintenance.hpp>

#include "jobs/sqlite_helpers.hpp"

// A backup comes to its place whole, also where the file system cannot do all.

namespace weft::jobs {
namespace {

/// As on FAT: from now on this process can make no hard link.
bool forbid_links() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef __NR_link
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_link, 1, 0),
#endif
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_linkat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

class sqlite_backup : public sqlite_test {};

TEST_F(sqlite_backup, needs_no_hard_links) {
  { push(*open(), 1); }
  const std::string copy = folder_ + "/copy.db";
  const int status = in_child([&] {
    if (!forbid_links()) return 2;
    backup_database("sqlite:" + path_, copy);
    try {
      backup_database("sqlite:" + path_, copy);
    } catch (const error& refused) {
      return refused.code() == errc::already_exists ? 0 : 3;
    }
    return 4;
  });
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this system has no filters of system calls";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(std::filesystem::exists(copy + ".partial"));
  EXPECT_EQ(check_database("sqlite:" + copy).problems, std::vector<std::string>{});
  EXPECT_EQ(check_database("sqlite:" + copy).jobs, 1);
}

}  // namespace
}  // namespace weft::jobs
