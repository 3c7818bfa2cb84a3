#include "workers/oom_watch.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "support/scratch_folder.hpp"

namespace {

using namespace std::chrono_literals;
using weft::steady_clock;
using weft::workers::detail::cgroup_files;
using weft::workers::detail::oom_watch;
using weft::workers::detail::set_cgroup_files;

// A system that tells what a test wants it to.
class oom : public testing::Test {
 protected:
  oom() { set_cgroup_files({folder_ / "self", folder_ / "mount"}); }
  ~oom() override { set_cgroup_files({}); }
  void is_in(const std::string& lines) { std::ofstream(folder_ / "self") << lines; }
  void has(const std::string& file, const std::string& text) {
    const std::filesystem::path path = folder_ / "mount" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  const weft::steady_time start = steady_clock::now();

 private:
  weft_test::scratch_folder folder_;
};

TEST_F(oom, a_kill_in_the_own_group_is_taken_once) {
  is_in("0::/a/b\n");
  has("/a/b/memory.events", "low 0\noom 3\noom_kill 7\noom_group_kill 0\n");
  oom_watch watch;
  EXPECT_FALSE(watch.take_kill(start));
  has("/a/b/memory.events", "low 0\noom 4\noom_kill 9\noom_group_kill 0\n");
  EXPECT_TRUE(watch.take_kill(start));
  EXPECT_TRUE(watch.take_kill(start));
  EXPECT_FALSE(watch.take_kill(start));
}

TEST_F(oom, version_1_is_read_too) {
  is_in("9:name=systemd:/x\n4:cpu,memory:/a\n0::/\n");
  has("/memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  oom_watch watch;
  has("/memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  EXPECT_TRUE(watch.take_kill(start));
}

TEST_F(oom, groups_below_the_own_one_do_not_count_where_the_system_tells_them_apart) {
  is_in("0::/a\n");
  has("/a/memory.events", "oom_kill 0\n");
  has("/a/memory.events.local", "oom_kill 0\n");
  oom_watch watch;
  has("/a/memory.events", "oom_kill 1\n");
  EXPECT_FALSE(watch.take_kill(start));
}

TEST_F(oom, in_a_container_the_group_is_that_of_the_mount) {
  is_in("4:memory:/docker/17\n");
  has("/memory/memory.oom_control", "oom_kill 0\n");
  oom_watch watch;
  has("/memory/memory.oom_control", "oom_kill 1\n");
  EXPECT_TRUE(watch.take_kill(start));
}

TEST_F(oom, a_kill_that_was_seen_long_ago_was_that_of_another_process) {
  is_in("0::/\n");
  has("/memory.events", "oom_kill 0\n");
  oom_watch watch;
  has("/memory.events", "oom_kill 1\n");
  watch.look(start);
  EXPECT_FALSE(watch.take_kill(start + 1min));
}

TEST_F(oom, one_that_was_seen_just_before_may_be_a_childs) {
  is_in("0::/\n");
  has("/memory.events", "oom_kill 0\n");
  oom_watch watch;
  has("/memory.events", "oom_kill 1\n");
  watch.look(start);
  EXPECT_TRUE(watch.take_kill(start + 1s));
}

TEST_F(oom, where_nothing_is_told_nobody_was_killed_so) {
  oom_watch without_groups;
  EXPECT_FALSE(without_groups.take_kill(start));
  is_in("0::/a\n");
  has("/a/memory.events", "no such line\nxoom_kill 1\noom_kill none\n");
  oom_watch without_count;
  EXPECT_EQ(without_count.fd(), -1);
  EXPECT_FALSE(without_count.take_kill(start));
}

}  // namespace
