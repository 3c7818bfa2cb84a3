// A new project's files. That it builds and runs is shown by tests/package/new_project.cmake.
#include "cli/new_project.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

class new_project : public testing::Test {
 protected:
  static std::string text_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& one : fs::directory_iterator(folder)) names.insert(one.path().filename());
    return names;
  }
  fs::path path(const std::string& name) const { return fs::path(folder_.path()) / name; }

  weft_test::scratch_folder folder_;
};

TEST_F(new_project, has_its_name_in_all_files_and_no_word_left_to_fill_in) {
  const auto done = weft_test::run_weft({"new", "web-shop", "--folder", path("w")});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, path("w").string() + " is there; README.md in it says what to do next.\n");
  std::size_t files = 0;
  for (const auto& one : fs::recursive_directory_iterator(path("w"))) {
    if (!one.is_regular_file()) continue;
    ++files;
    const std::string text = one.path().string() + text_of(one.path());
    EXPECT_EQ(text.find("@APP@"), std::string::npos) << one.path();
    EXPECT_EQ(text.find("@NAMESPACE@"), std::string::npos) << one.path();
    EXPECT_EQ(text.find("@ENVIRONMENT_NAME@"), std::string::npos) << one.path();
  }
  EXPECT_EQ(files, project_files().size());
  EXPECT_NE(text_of(path("w/src/greeting.hpp")).find("namespace web_shop_app {"), std::string::npos);
  EXPECT_NE(text_of(path("w/src/settings.cpp")).find("\"WEB_SHOP_\""), std::string::npos);
  EXPECT_TRUE(fs::exists(path("w/systemd/web-shop.service")));
}

TEST_F(new_project, leaves_a_folder_alone_that_has_something_in_it) {
  fs::create_directory(path("mine"));
  std::ofstream(path("mine/notes")) << "important";
  const auto done = weft_test::run_weft({"new", "shop", "--folder", path("mine")});
  EXPECT_EQ(done.status, 1);
  EXPECT_NE(done.err.find("there is something in " + path("mine").string() + " already"), std::string::npos)
      << done.err;
  EXPECT_EQ(names_in(path("mine")), std::set<std::string>{"notes"});
  EXPECT_EQ(names_in(folder_.path()), std::set<std::string>{"mine"}) << "nothing is left beside it";
}

TEST_F(new_project, takes_an_empty_folder_and_leaves_it_the_same) {
  fs::create_directory(path("empty"));
  fs::permissions(path("empty"), fs::perms{0700});
  const fs::path before = fs::current_path();
  fs::current_path(path("empty"));
  EXPECT_EQ(weft_test::run_weft({"new", "class", "--folder", "."}).status, 0)
      << "no word of C++ is in its way";
  EXPECT_TRUE(fs::exists("src/main.cpp"));
  fs::current_path(before);
  EXPECT_EQ(fs::status(path("empty")).permissions(), fs::perms{0700});
  fs::remove_all(path("empty"));
  fs::create_directory(path("empty"));
  EXPECT_EQ(weft_test::run_weft({"new", "shop", "--folder", path("empty").string() + "/"}).status, 0);
  EXPECT_TRUE(fs::exists(path("empty/src/main.cpp")));
}

TEST_F(new_project, refuses_names_that_would_not_build) {
  for (const std::string name : {"", "Shop", "9lives", "a shop", "../shop", "weft", "test", "all", "a--b",
                                 "greeting", "shop;rm", "a@b"}) {
    const auto done = weft_test::run_weft({"new", "--folder", path("x"), "--", name});
    EXPECT_EQ(done.status, 2) << name;
    EXPECT_NE(done.err.find("weft new: \"" + name + "\" is "), std::string::npos) << done.err;
  }
  EXPECT_EQ(names_in(folder_.path()), std::set<std::string>{});
}

}  // namespace
}  // namespace weft::cli
