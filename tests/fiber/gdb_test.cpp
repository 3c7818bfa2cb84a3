// Runs gdb, in batch mode, with tools/gdb/weft.py on a core file of gdb_program, which has no debug
// information of weft.
#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

std::string output_of(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  char part[1024];
  while (std::fgets(part, sizeof part, pipe) != nullptr) text += part;
  pclose(pipe);
  return text;
}

/// A core of gdb_program as it aborts; made by gdb, because the system may pipe cores elsewhere. gdb
/// leaves out mappings with lightweight guards in them, which the kernel does not.
class gdb_on_a_core : public testing::Test {
 protected:
  void SetUp() override {
    core_ = std::filesystem::temp_directory_path() / ("weft-gdb-test-" + std::to_string(getpid()) + ".core");
    const std::string made =
        output_of("WEFT_STACK_GUARD=mprotect gdb -nx -batch -ex run -ex 'generate-core-file " +
                  core_.string() + "' " + std::string(GDB_PROGRAM));
    ASSERT_TRUE(std::filesystem::exists(core_)) << made;
  }
  void TearDown() override { std::filesystem::remove(core_); }
  std::string run(const std::string& commands) const {
    return output_of(std::string("gdb -nx -batch -x ") + WEFT_GDB_SCRIPT + " " + commands + " " +
                     GDB_PROGRAM + " " + core_.string());
  }

 private:
  std::filesystem::path core_;
};

/// What follows the title of the fiber `name`, up to the next title.
std::string part_of(const std::string& text, const std::string& name) {
  const auto from = text.find("\"" + name + "\"");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find("\nfiber ", from) - from);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(gdb_on_a_core, lists_the_fibers_and_what_they_wait_for) {
  const std::string text = run("-ex weft-fibers");
  EXPECT_TRUE(has(text, "4 fibers")) << text;
  EXPECT_TRUE(has(part_of(text, "first"), "waits in channel::pop")) << text;
  EXPECT_TRUE(has(part_of(text, "third"), "waits in sleep")) << text;
  EXPECT_TRUE(has(part_of(text, "main"), "runs on thread")) << text;
  EXPECT_TRUE(has(part_of(text, "first"), "gdb_program.cpp:")) << text;
}

TEST_F(gdb_on_a_core, unwinds_parked_fibers_to_their_first_function) {
  const std::string text = run("-ex 'weft-bt all'");
  for (const std::string name : {"first", "second", "third"}) {
    const std::string part = part_of(text, name);
    EXPECT_TRUE(has(part, "waits_in_" + name)) << text;
    EXPECT_TRUE(has(part, "scheduler::suspend")) << text;
    EXPECT_TRUE(has(part, "weft_stack_entry")) << text;
  }
  EXPECT_TRUE(has(part_of(text, "main"), "gives_up")) << text;
}

TEST(gdb_on_a_live_program, unwinds_parked_fibers_and_shows_the_thread_again_afterwards) {
  const std::string text = output_of(std::string("gdb -nx -batch -x ") + WEFT_GDB_SCRIPT +
                                     " -ex run -ex 'weft-bt all' -ex bt " + GDB_PROGRAM);
  for (const std::string name : {"first", "second", "third"}) {
    EXPECT_TRUE(has(part_of(text, name), "waits_in_" + name)) << text;
  }
  EXPECT_LT(text.find("\"third\""), text.rfind("gives_up")) << "bt shows the thread again: " << text;
}

TEST(gdb_on_a_live_program, stops_at_a_probe_and_shows_its_arguments) {
  const std::string text = output_of(
      "gdb -nx -batch -ex 'break main' -ex run -ex 'break -probe-stap weft:fiber__start' -ex continue "
      "-ex 'set $main_fiber = $_probe_arg0' -ex continue -ex 'printf \"name %s\\n\", (char*)$_probe_arg2' "
      "-ex 'printf \"made by main: %d\\n\", $_probe_arg1 == $main_fiber' " +
      std::string(GDB_PROGRAM));
  EXPECT_TRUE(has(text, "name first\n")) << text;
  EXPECT_TRUE(has(text, "made by main: 1\n")) << text;
}

TEST_F(gdb_on_a_core, says_so_when_there_is_no_such_fiber) {
  EXPECT_TRUE(has(run("-ex 'weft-bt 12345'"), "no fiber 12345"));
  EXPECT_TRUE(has(run("-ex 'weft-bt x'"), "usage: weft-bt"));
}

}  // namespace
