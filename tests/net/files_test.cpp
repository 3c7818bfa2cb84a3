#include <weft/net/files.hpp>

#include <gtest/gtest.h>

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <memory>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "net/files/file_io.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::files {
namespace {

using namespace std::chrono_literals;
using weft_test::scratch_folder;

std::vector<std::string> paths_of(const walked& found) {
  std::vector<std::string> paths;
  for (const entry& one : found.entries) paths.push_back(one.path);
  return paths;
}
using paths = std::vector<std::string>;

TEST(files, what_was_written_as_a_whole_is_read_as_a_whole) {
  run([] {
    const scratch_folder folder;
    const std::string path = folder / "notes";
    for (const durability how : {durability::none, durability::file, durability::file_and_folder}) {
      const std::string content(3'000'000 + static_cast<std::size_t>(how), 'x');
      write_file(path, content, {.durability = how});
      EXPECT_EQ(read_file(path), content);
    }
    EXPECT_EQ(paths_of(walk(folder.path())), paths{"notes"});  // and no temporary file
    write_file(path, "");
    EXPECT_EQ(read_file(path), "");
    EXPECT_FALSE(read_file("/proc/self/status").empty());  // which says that it has no bytes
  });
}

TEST(files, a_new_file_obeys_the_umask_and_one_that_was_there_keeps_its_permissions) {
  run([] {
    const scratch_folder folder;
    write_file(folder / "new", "a");
    const mode_t mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(stat(folder / "new")->permissions, 0666u & ~mask);
    ::chmod((folder / "new").c_str(), 0640);
    write_file(folder / "new", "b");
    EXPECT_EQ(stat(folder / "new")->permissions, 0640u);
  });
}

TEST(files, a_write_that_fails_leaves_the_old_content_and_nothing_beside_it) {
  run([] {
    const scratch_folder folder;
    const std::string path = folder / "notes";
    write_file(path, "old");
    rlimit former{};
    ::getrlimit(RLIMIT_FSIZE, &former);
    const rlimit less{1000, former.rlim_max};
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &less);
    EXPECT_TRUE(
        has_text(message_of(errc::io_error, [&] { write_file(path, std::string(5000, 'x')); }), path));
    ::setrlimit(RLIMIT_FSIZE, &former);
    std::signal(SIGXFSZ, ignored);
    EXPECT_EQ(read_file(path), "old");
    message_of(errc::io_error, [&] { write_file(folder.path(), "x"); });  // a folder cannot be replaced
    EXPECT_EQ(paths_of(walk(folder.path())), paths{"notes"});
  });
}

TEST(files, errors_have_codes_and_name_the_path) {
  run([] {
    const scratch_folder folder;
    const std::string none = folder / "none";
    EXPECT_TRUE(has_text(message_of(errc::not_found, [&] { read_file(none); }), none));
    message_of(errc::not_found, [&] { file::open(none); });
    message_of(errc::not_found, [&] { walk(none); });
    message_of(errc::not_found, [&] { rename(none, folder / "other"); });
    message_of(errc::unsupported, [&] { read_file(folder.path()); });
    message_of(errc::invalid_argument, [&] { read_file(""); });
    message_of(errc::invalid_argument, [&] { stat(std::string("a\0b", 3)); });
    message_of(errc::invalid_argument, [&] { write_file(none + "/", "x"); });
    EXPECT_EQ(stat(none), std::nullopt);
    EXPECT_FALSE(remove(none));
    write_file(none, "0123456789");
    EXPECT_EQ(stat(none + "/below"), std::nullopt);
    EXPECT_EQ(read_file(none, 10).size(), 10u);
    message_of(errc::too_large, [&] { read_file(none, 9); });
    message_of(errc::too_large, [] { read_file("/proc/self/status", 10); });
    message_of(errc::already_exists, [&] { file::open(none, mode::create_new); });
    message_of(errc::closed, [] { file().read(1); });
  });
}

TEST(files, a_named_pipe_is_refused_and_not_waited_for) {
  run([] {
    const scratch_folder folder;
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    message_of(errc::unsupported, [&] { read_file(folder / "pipe"); });
  });
}

TEST(files, a_file_is_read_and_written_at_offsets_and_at_its_position) {
  run([] {
    const scratch_folder folder;
    const std::string path = folder / "data";
    file opened = file::open(path, mode::update);
    opened.write("0123456789");
    opened.write_at(3, "abc");
    EXPECT_EQ(opened.read_at(2, 5), "2abc6");
    EXPECT_EQ(opened.read_at(8, 100), "89");
    EXPECT_EQ(opened.read_at(10, 100), "");
    EXPECT_EQ(opened.read(100), "");  // the position is behind what was written
    opened.resize(4);
    opened.sync();
    EXPECT_EQ(opened.stat().bytes, 4u);
    opened.close();
    EXPECT_FALSE(opened.is_open());
    file longer = file::open(path, mode::append);
    longer.write("+");
    longer.write("-");
    file again = file::open(path);
    EXPECT_EQ(again.read(3), "012");
    EXPECT_EQ(again.read(100), "a+-");
    message_of(errc::io_error, [&] { again.write("x"); });  // opened for reading
    message_of(errc::invalid_argument, [&] { again.read_at(~std::uint64_t{0}, 1); });
    file emptied = file::open(path, mode::write);
    EXPECT_EQ(again.stat().bytes, 0u);
  });
}

TEST(files, links_are_followed_or_kept_as_asked) {
  run([] {
    const scratch_folder folder;
    write_file(folder / "real", "content");
    ASSERT_EQ(::symlink("real", (folder / "link").c_str()), 0);
    EXPECT_EQ(stat(folder / "link")->kind, kind::file);
    EXPECT_EQ(stat(folder / "link", links::keep)->kind, kind::link);
    EXPECT_EQ(file::open(folder / "link").read(100), "content");
    EXPECT_THROW(file::open(folder / "link", mode::read, {.at_end = links::keep}), error);
    write_file(folder / "link", "its own");  // replaces the link
    EXPECT_EQ(stat(folder / "link", links::keep)->kind, kind::file);
    EXPECT_EQ(read_file(folder / "real"), "content");
  });
}

TEST(files, times_beyond_the_clock_are_its_ends) {
  struct ::stat seen {};
  const auto modified = [&](std::int64_t seconds) {
    seen.st_mtim = {.tv_sec = seconds, .tv_nsec = 999'999'999};
    return detail::info_of(seen).modified;
  };
  using time_point = std::chrono::system_clock::time_point;
  EXPECT_EQ(modified(-1), time_point(-1ns));
  EXPECT_EQ(modified(13'569'465'600), time_point::max());  // 2400
  EXPECT_EQ(modified(INT64_MAX), time_point::max());
  EXPECT_EQ(modified(INT64_MIN), time_point::min());
}

TEST(files, names_are_made_moved_and_removed) {
  run([] {
    const scratch_folder folder;
    EXPECT_TRUE(make_folder(folder / "a"));
    EXPECT_FALSE(make_folder(folder / "a"));
    message_of(errc::not_found, [&] { make_folder(folder / "x/y/z"); });
    EXPECT_TRUE(make_folder(folder / "x/y/z/", parents::make));
    EXPECT_FALSE(make_folder(folder / "x/y/z", parents::make));
    write_file(folder / "x/f", "f");
    message_of(errc::already_exists, [&] { make_folder(folder / "x/f"); });
    write_file(folder / "g", "g");
    message_of(errc::already_exists, [&] { rename(folder / "g", folder / "x/f", when_there::refuse); });
    rename(folder / "g", folder / "x/f");
    sync_folder(folder / "x");
    EXPECT_EQ(read_file(folder / "x/f"), "g");
    EXPECT_TRUE(remove(folder / "x/f"));
    EXPECT_TRUE(remove(folder / "a"));
    EXPECT_THROW(remove(folder / "x"), error);  // it is not empty
    EXPECT_EQ(paths_of(walk(folder.path())), (paths{"x", "x/y", "x/y/z"}));
  });
}

TEST(files, a_walk_lists_in_order_and_follows_no_link) {
  run([] {
    const scratch_folder folder;
    make_folder(folder / "b/c", parents::make);
    write_file(folder / "b/c/deep", "12345");
    write_file(folder / "a", "1");
    ASSERT_EQ(::symlink(folder.path().c_str(), (folder / "b/loop").c_str()), 0);
    const walked found = walk(folder.path());
    EXPECT_EQ(paths_of(found), (paths{"a", "b", "b/c", "b/c/deep", "b/loop"}));
    EXPECT_FALSE(found.is_cut);
    EXPECT_EQ(found.entries[3].info.bytes, 5u);
    EXPECT_EQ(found.entries[4].info.kind, kind::link);
  });
}

TEST(files, a_walk_ends_at_its_bounds_and_says_so) {
  run([] {
    const scratch_folder folder;
    make_folder(folder / "1/2/3", parents::make);
    for (int i = 0; i < 10; ++i) write_file(folder / ("f" + std::to_string(i)), "", {durability::none});
    const walked flat = walk(folder.path(), {.depth_max = 1});
    EXPECT_EQ(flat.entries.size(), 11u);
    EXPECT_TRUE(flat.is_cut);
    EXPECT_FALSE(walk(folder.path(), {.depth_max = 4}).is_cut);
    const walked few = walk(folder.path(), {.entries_max = 5});
    EXPECT_EQ(few.entries.size(), 5u);
    EXPECT_TRUE(few.is_cut);
    EXPECT_FALSE(walk(folder.path(), {.entries_max = 13}).is_cut);
    EXPECT_TRUE(walk(folder.path(), {.entries_max = 12}).is_cut);
    message_of(errc::invalid_argument, [&] { walk(folder.path(), {.depth_max = 0}); });
    message_of(errc::invalid_argument, [&] { walk(folder.path(), {.depth_max = 257}); });
  });
}

// The reading end of a pipe in the guise of a file: the call on the pool ends when the test says so.
TEST(files, a_caller_that_is_cancelled_is_free_while_the_pool_still_works) {
  run([] {
    int both[2];
    ASSERT_EQ(::pipe(both), 0);
    const unique_fd writer(both[1]);
    const auto write_byte = [&] { ASSERT_EQ(::write(writer.get(), "x", 1), 1); };
    const auto bytes_there = [&] {
      int count = 0;
      EXPECT_EQ(::ioctl(writer.get(), FIONREAD, &count), 0);
      return count;
    };
    write_byte();
    auto reading = std::make_unique<file>(unique_fd(both[0]), "a pipe");
    fiber<std::string> waits = go([&] { return reading->read(3); });
    while (bytes_there() > 0) yield();  // the thread reads
    waits.cancel();
    EXPECT_THROW(waits.join(), cancelled);
    reading.reset();  // the descriptor stays open as long as it is used
    write_byte();
    while (bytes_there() > 0) yield();  // and it still does
    write_byte();
  });
}

TEST(files, other_fibers_run_while_one_waits_for_the_disk) {
  run([] {
    const scratch_folder folder;
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    fiber<std::string> reading = go([&] { return file::open(folder / "pipe").read(5); });
    file::open(folder / "pipe", mode::append).write("hello");  // both opens wait for each other
    EXPECT_EQ(reading.join(), "hello");
  });
}

}  // namespace
}  // namespace weft::files
