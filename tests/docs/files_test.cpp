// The examples of docs/files.md.

#include <gtest/gtest.h>

#include <string>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/file_watch.hpp>
#include <weft/net/files.hpp>

#include "support/scratch_folder.hpp"

namespace {

TEST(files, whole_files) {
  weft::run([] {
    const weft_test::scratch_folder scratch;
    const std::string& folder = scratch.path();
    // example: whole_files
    weft::files::write_file(folder + "/state.json", "{\"count\": 1}");
    std::string state = weft::files::read_file(folder + "/state.json", 1024 * 1024);
    // end of example
    EXPECT_EQ(state, "{\"count\": 1}");
  });
}

TEST(files, parts_of_a_file) {
  weft::run([] {
    const weft_test::scratch_folder scratch;
    const std::string& folder = scratch.path();
    // example: parts_of_a_file
    auto journal = weft::files::file::open(folder + "/journal", weft::files::mode::update);
    journal.write("first\nsecond\n");
    journal.sync();
    std::string second = journal.read_at(6, 6);
    journal.close();
    // end of example
    EXPECT_EQ(second, "second");
  });
}

TEST(files, a_walk) {
  weft::run([] {
    const weft_test::scratch_folder scratch;
    const std::string& folder = scratch.path();
    weft::files::write_file(folder + "/four", "1234");
    // example: a_walk
    std::uint64_t bytes = 0;
    weft::files::walked found = weft::files::walk(folder, {.depth_max = 8, .entries_max = 10'000});
    for (const auto& one : found.entries) bytes += one.info.bytes;
    // end of example
    EXPECT_EQ(bytes, 4u);
  });
}

TEST(files, a_watch) {
  weft::run([] {
    const weft_test::scratch_folder scratch;
    const std::string& folder = scratch.path();
    int reloads = 0;
    const auto reload = [&reloads](const std::string& /*name*/) { ++reloads; };
    // example: a_watch
    weft::files::watch changes;
    changes.add(folder);
    auto watching = weft::go([&] {
      while (true) reload(changes.next().name);
    });
    // end of example
    weft::files::make_folder(folder + "/new");
    while (reloads == 0) weft::yield();
    watching.cancel();
    EXPECT_THROW(watching.join(), weft::cancelled);
  });
}

}  // namespace
