#include <weft/config/config.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

#include "support/scratch_folder.hpp"

namespace weft::config {
namespace {

using namespace std::chrono_literals;

enum class colour { red, green };
WEFT_DESCRIBE_ENUM(colour, red, green);

struct pace {
  std::uint16_t concurrency = 10;
  std::chrono::milliseconds poll_interval{1000};
};
WEFT_DESCRIBE(pace, concurrency, poll_interval);

struct shop {
  std::string db = "sqlite:shop.db";
  bool is_open = false;
  int shift = -1;
  double share = 0.5;
  byte_size memory{1 << 20};
  colour paint = colour::red;
  std::optional<std::string> title = {};
  std::vector<std::string> queues = {"default"};
  std::vector<int> ports = {};
  secret<std::string> token = {};
  pace worker = {};
};
WEFT_DESCRIBE(shop, db, is_open, shift, share, memory, paint, title, queues, ports, token, worker);

class settings : public testing::Test {
 protected:
  std::string file(const std::string& text, const std::string& name = "shop.toml") {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  loaded<shop> from_file(const std::string& text) { return load<shop>({.file = file(text)}); }
  loaded<shop> from_environment(const std::map<std::string, std::string>& variables) {
    return load<shop>({.environment_prefix = "SHOP_", .environment = &variables});
  }
  /// What load() complains of, a line each.
  static std::string complaint(const sources& from) {
    try {
      (void)load<shop>(from);
    } catch (const error& wrong) {
      EXPECT_EQ(wrong.code(), errc::invalid_argument);
      return wrong.message();
    }
    return "nothing";
  }
  static setting named(const loaded<shop>& in, const std::string& name) {
    for (const auto& one : in.settings) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no " << name;
    return {};
  }

  weft_test::scratch_folder folder_;
};

TEST_F(settings, of_nothing_are_those_of_the_struct) {
  const auto made = load<shop>({});
  EXPECT_EQ(made.values.db, "sqlite:shop.db");
  EXPECT_EQ(made.values.worker.poll_interval, 1s);
  ASSERT_EQ(made.settings.size(), 12U);
  EXPECT_EQ(made.settings.front().name, "db");
  EXPECT_EQ(made.settings.back().name, "worker.poll_interval");
  EXPECT_EQ(made.settings.back().value, "\"1s\"");
  EXPECT_EQ(to_string(made.settings.back().from), "built in");
}

TEST_F(settings, of_a_file_are_of_all_kinds) {
  const auto made = from_file(R"(
db = "postgres://shop@db/shop"   # where jobs are
is_open = true
shift = -7
share = 0.25
memory = "64MiB"
paint = "green"
title = "Höker \"& Söhne\""
queues = ["mail", "night"]
ports = [80, 443]

[worker]
concurrency = 65535
poll_interval = "1m30s"
)");
  const shop& is = made.values;
  EXPECT_EQ(is.db, "postgres://shop@db/shop");
  EXPECT_TRUE(is.is_open);
  EXPECT_EQ(is.shift, -7);
  EXPECT_EQ(is.share, 0.25);
  EXPECT_EQ(is.memory, byte_size{64 << 20});
  EXPECT_EQ(is.paint, colour::green);
  EXPECT_EQ(is.title, "Höker \"& Söhne\"");
  EXPECT_EQ(is.queues, (std::vector<std::string>{"mail", "night"}));
  EXPECT_EQ(is.ports, (std::vector<int>{80, 443}));
  EXPECT_EQ(is.worker.concurrency, 65535);
  EXPECT_EQ(is.worker.poll_interval, 90s);
  EXPECT_EQ(named(made, "title").value, "\"Höker \\\"& Söhne\\\"\"");
  EXPECT_EQ(named(made, "queues").value, "[\"mail\", \"night\"]");
  EXPECT_EQ(named(made, "worker.poll_interval").from.where, folder_ / "shop.toml" + ":14");
}

TEST_F(settings, of_the_environment_are_texts) {
  const auto made = from_environment({{"SHOP_DB", "memory:"},
                                      {"SHOP_IS_OPEN", "yes"},
                                      {"SHOP_SHIFT", "3"},
                                      {"SHOP_MEMORY", "1GiB"},
                                      {"SHOP_QUEUES", "a,b"},
                                      {"SHOP_PORTS", "1,2,3"},
                                      {"SHOP_WORKER_POLL_INTERVAL", "5s"},
                                      {"HOME", "/nowhere"}});
  EXPECT_EQ(made.values.db, "memory:");
  EXPECT_TRUE(made.values.is_open);
  EXPECT_EQ(made.values.shift, 3);
  EXPECT_EQ(made.values.memory, byte_size{1 << 30});
  EXPECT_EQ(made.values.queues, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(made.values.ports, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(made.values.worker.poll_interval, 5s);
  EXPECT_EQ(to_string(named(made, "db").from), "$SHOP_DB");
  EXPECT_TRUE(made.notes.empty());
}

TEST_F(settings, of_the_process_environment_are_read_where_no_other_is_given) {
  ::setenv("SHOPTEST_SHIFT", "12", 1);
  EXPECT_EQ(load<shop>({.environment_prefix = "SHOPTEST_"}).values.shift, 12);
  ::unsetenv("SHOPTEST_SHIFT");
  EXPECT_EQ(load<shop>({.environment_prefix = "SHOPTEST_"}).values.shift, -1);
}

TEST_F(settings, are_those_of_who_comes_last) {
  const std::map<std::string, std::string> variables{{"SHOP_SHIFT", "2"}, {"SHOP_DB", "memory:"}};
  const auto made = load<shop>({.file = file("shift = 1\ndb = \"sqlite:a\"\nshare = 1\n"),
                                .environment_prefix = "SHOP_",
                                .flags = {{"shift", "3", "--shift"}},
                                .environment = &variables});
  EXPECT_EQ(made.values.shift, 3);
  EXPECT_EQ(made.values.db, "memory:");
  EXPECT_EQ(made.values.share, 1.0);
  EXPECT_EQ(to_string(named(made, "shift").from), "--shift");
  EXPECT_EQ(to_string(named(made, "db").from), "$SHOP_DB");
  EXPECT_EQ(named(made, "share").from.kind, origin_kind::file);
}

TEST_F(settings, that_are_wrong_are_listed_all_with_where_and_what_is_wanted) {
  const std::string listed = file(
      "dbb = \"x\"\nshift = \"three\"\nshare = \"much\"\nmemory = \"lots\"\npaint = \"blue\"\nis_open = "
      "1\nqueues = \"a\"\n"
      "ports = [1, \"2\"]\ndb = 5\n[worker]\nconcurrency = 65536\npoll_interval = 5\nnonsense.deep = 1\n");
  const auto said = complaint(
      {.file = listed, .flags = {{"worker.poll_interval", "1500us", "--poll"}, {"pait", "red", "--pait"}}});
  const auto expect = [&](const std::string& text) {
    EXPECT_NE(said.find(text), std::string::npos) << text << "\nin\n" << said;
  };
  expect("shop.toml:1: there is no setting \"dbb\"; did you mean db?");
  expect("shop.toml:2: shift wants a number from -2147483648 to 2147483647, not \"three\"");
  expect("shop.toml:3: share wants a number");
  expect("shop.toml:4: memory wants a number of bytes, as \"64MiB\", not \"lots\"");
  expect("shop.toml:5: paint wants one of red, green, not \"blue\"");
  expect("shop.toml:6: is_open wants true or false");
  expect("shop.toml:7: queues wants a list, each text");
  expect("shop.toml:8: ports wants a list, each a number");
  expect("shop.toml:9: db wants text, not \"5\"");
  expect("shop.toml:11: worker.concurrency wants a number from 0 to 65535, not \"65536\"");
  expect("shop.toml:12: worker.poll_interval wants a span of time");
  expect("there is no setting \"worker.nonsense.deep\"");
  expect("--poll: worker.poll_interval wants a span of time, as \"30s\" or \"1h30m\", not \"1500us\"");
  expect("--pait: there is no setting \"pait\"; did you mean paint?");
}

TEST_F(settings, that_somebody_has_to_say_are_missed) {
  const auto said =
      complaint({.file = file("shift = 1"), .environment_prefix = "SHOP_", .required = {"db", "shift"}});
  EXPECT_NE(said.find("db is not set: say it in " + folder_ / "shop.toml" + ", or set SHOP_DB"),
            std::string::npos)
      << said;
  EXPECT_EQ(said.find("shift is"), std::string::npos);
  EXPECT_THROW((void)load<shop>({.required = {"nonsense"}}), error);
}

TEST_F(settings, of_a_file_that_cannot_be_read_are_an_error) {
  const std::string missing = folder_ / "none.toml";
  try {
    (void)load<shop>({.file = missing});
    FAIL();
  } catch (const error& wrong) {
    EXPECT_EQ(wrong.code(), errc::not_found);
    EXPECT_NE(wrong.message().find(missing), std::string::npos);
  }
  EXPECT_EQ(load<shop>({.file = missing, .file_may_be_missing = true}).values.shift, -1);
  EXPECT_THROW((void)load<shop>({.file = folder_.path()}), error) << "a folder";
  EXPECT_EQ(from_file("").values.shift, -1);
  try {
    (void)from_file("db = \"a\"\nshift = = 2\n");
    FAIL();
  } catch (const error& wrong) {
    EXPECT_EQ(wrong.code(), errc::malformed);
    EXPECT_NE(wrong.message().find("shop.toml:2: "), std::string::npos) << wrong.message();
  }
}

TEST_F(settings, that_are_secret_come_from_files_and_are_never_shown) {
  const std::string path = file("s3cret\n", "token");
  const auto made = from_file("token_file = \"" + path + "\"\n");
  EXPECT_EQ(made.values.token.reveal(), "s3cret");
  EXPECT_EQ(named(made, "token").value, "(set)");
  EXPECT_EQ(named(load<shop>({}), "token").value, "(not set)");
  EXPECT_EQ(from_environment({{"SHOP_TOKEN_FILE", path}}).values.token.reveal(), "s3cret");
  EXPECT_EQ(from_environment({{"CREDENTIALS_DIRECTORY", folder_.path()}}).values.token.reveal(), "s3cret");

  const std::map<std::string, std::string> in_clear{{"SHOP_TOKEN", "s3cret"}};
  for (const sources& from :
       {sources{.file = file("token = \"s3cret\"")}, sources{.flags = {{"token", "s3cret", "--token"}}},
        sources{.environment_prefix = "SHOP_", .environment = &in_clear}}) {
    const auto said = complaint(from);
    EXPECT_NE(said.find("token is a secret: write it to a file"), std::string::npos) << said;
    EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
  }
  ::chmod(path.c_str(), 0644);
  EXPECT_NE(
      complaint({.flags = {{"token_file", path, "--token-file"}}}).find("everybody may read this secret"),
      std::string::npos);
  EXPECT_NE(
      complaint({.flags = {{"token_file", folder_ / "none", "--token-file"}}}).find("--token-file: token: "),
      std::string::npos);
}

TEST_F(settings, has_a_note_for_a_variable_that_is_none) {
  const auto made = from_environment({{"SHOP_SHFIT", "2"}, {"SHOP_XYZZY_PLUGH", "1"}});
  ASSERT_EQ(made.notes.size(), 2U);
  EXPECT_EQ(made.notes[0], "$SHOP_SHFIT is no setting; did you mean $SHOP_SHIFT?");
  EXPECT_EQ(made.notes[1], "$SHOP_XYZZY_PLUGH is no setting");
}

struct twins {
  struct inner {
    int c = 0;
    WEFT_DESCRIBE_MEMBERS(c);
  };
  int a_c = 0;
  inner a = {};
  WEFT_DESCRIBE_MEMBERS(a_c, a);
};

TEST_F(settings, of_which_two_would_have_one_variable_are_refused) {
  EXPECT_EQ(load<twins>({.file = file("a_c = 1\na.c = 2")}).values.a.c, 2);
  EXPECT_THROW((void)load<twins>({.environment_prefix = "X_"}), error);
}

TEST_F(settings, that_are_read_anew_change_at_once_or_not_at_all) {
  const std::string path = file("shift = 1\nshare = 1");
  reloadable<shop> kept({.file = path});
  const auto before = kept.get();
  file("shift = 2\nshare = 2");
  EXPECT_EQ(kept.get()->values.shift, 1) << "not before it is asked to";
  kept.reload();
  EXPECT_EQ(kept.get()->values.shift, 2);
  EXPECT_EQ(before->values.shift, 1) << "who has them keeps them";
  file("shift = 3\nshare = \"much\"");
  EXPECT_THROW(kept.reload(), error);
  EXPECT_EQ(kept.get()->values.shift, 2);
}

TEST_F(settings, are_read_by_others_while_they_change) {
  const std::string path = file("shift = 1\nworker.concurrency = 1");
  reloadable<shop> kept({.file = path});
  std::atomic<bool> over{false};
  std::thread reader([&] {
    while (!over) {
      const auto now = kept.get();
      EXPECT_EQ(now->values.shift, now->values.worker.concurrency) << "a mixture";
    }
  });
  for (int turn = 2; turn < 100; ++turn) {
    file("shift = " + std::to_string(turn) + "\nworker.concurrency = " + std::to_string(turn));
    kept.reload();
  }
  over = true;
  reader.join();
}

}  // namespace
}  // namespace weft::config
