#include <weft/net/file_watch.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>
#include <fstream>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/files.hpp>

#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::files {
namespace {

using namespace std::chrono_literals;
using weft_test::scratch_folder;

constexpr auto long_enough = 20s;

/// The next change of that kind; other ones before it are passed over.
change next_of(watch& from, change_kind wanted) {
  while (true) {
    std::optional<change> one = from.next_for(long_enough);
    if (!one) throw error(errc::timed_out, "no such change came");
    if (one->kind == wanted) return *one;
  }
}

TEST(file_watch, tells_what_happens_in_a_folder) {
  run([] {
    const scratch_folder folder;
    watch changes;
    changes.add(folder.path());
    write_file(folder / "a", "1");  // by a rename
    EXPECT_EQ(next_of(changes, change_kind::moved_to).name, "a");
    { std::ofstream(folder / "b") << "2"; }
    EXPECT_EQ(next_of(changes, change_kind::created).name, "b");
    EXPECT_EQ(next_of(changes, change_kind::written).name, "b");
    rename(folder / "a", folder / "c");
    const change from = next_of(changes, change_kind::moved_from);
    const change to = next_of(changes, change_kind::moved_to);
    EXPECT_EQ(from.name, "a");
    EXPECT_EQ(to.name, "c");
    EXPECT_EQ(from.pair, to.pair);
    remove(folder / "c");
    const change gone = next_of(changes, change_kind::removed);
    EXPECT_EQ(gone.name, "c");
    EXPECT_EQ(gone.watched, folder.path());
    EXPECT_EQ(changes.next_for(0ms), std::nullopt);
  });
}

TEST(file_watch, a_change_wakes_the_fiber_that_waits_for_it) {
  run([] {
    const scratch_folder folder;
    watch changes;
    changes.add(folder.path());
    auto waits = go([&] { return changes.next_for(long_enough); });
    yield();
    make_folder(folder / "new");
    const auto heard = waits.join();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->kind, change_kind::created);
  });
}

TEST(file_watch, a_wait_that_was_cancelled_or_timed_out_has_lost_nothing) {
  run([] {
    const scratch_folder folder;
    watch changes;
    changes.add(folder.path());
    auto waits = go([&] { return changes.next_for(long_enough); });
    yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), cancelled);
    EXPECT_EQ(changes.next_for(1ms), std::nullopt);
    make_folder(folder / "new");
    EXPECT_EQ(next_of(changes, change_kind::created).name, "new");
  });
}

TEST(file_watch, what_is_watched_itself_may_go) {
  run([] {
    const scratch_folder folder;
    make_folder(folder / "a");
    write_file(folder / "f", "1");
    watch changes;
    changes.add(folder / "a");
    changes.add(folder / "f");
    remove(folder / "a");
    EXPECT_EQ(next_of(changes, change_kind::gone).watched, folder / "a");
    rename(folder / "f", folder / "g");
    EXPECT_EQ(next_of(changes, change_kind::gone).watched, folder / "f");
    EXPECT_FALSE(changes.remove(folder / "f"));
    message_of(errc::not_found, [&] { changes.add(folder / "a"); });
  });
}

TEST(file_watch, what_is_no_longer_watched_is_silent) {
  run([] {
    const scratch_folder folder;
    make_folder(folder / "a");
    make_folder(folder / "b");
    watch changes;
    changes.add(folder / "a");
    changes.add(folder / "b");
    make_folder(folder / "a/1");
    EXPECT_TRUE(changes.remove(folder / "a"));
    make_folder(folder / "a/2");
    make_folder(folder / "b/3");
    const auto heard = changes.next_for(long_enough);
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->name, "3");
  });
}

TEST(file_watch, says_when_the_system_has_dropped_changes) {
  run([] {
    std::size_t kept = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> kept;
    ASSERT_GT(kept, 0u);
    if (kept > 200'000) GTEST_SKIP() << "this machine keeps very many changes";
    const scratch_folder folder;
    watch changes;
    changes.add(folder.path());
    const unique_fd both[2] = {
        unique_fd(::open((folder / "a").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)),
        unique_fd(::open((folder / "b").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600))};
    // Alternating, because the same change twice in a row is kept once.
    for (std::size_t i = 0; i <= kept; ++i)
      ASSERT_EQ(::fchmod(both[i % 2].get(), i % 4 < 2 ? 0600 : 0640), 0);
    EXPECT_TRUE(next_of(changes, change_kind::overflow).watched.empty());
    make_folder(folder / "after");
    EXPECT_EQ(next_of(changes, change_kind::created).name, "after");  // and goes on
  });
}

}  // namespace
}  // namespace weft::files
