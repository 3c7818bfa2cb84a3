#include <weft/fiber/fiber_properties.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <weft/fiber/defer.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

struct noting {
  explicit noting(std::vector<std::string>& list) : into(&list) {}
  ~noting() { into->push_back("property"); }
  std::vector<std::string>* into;
};

TEST(fiber_properties, are_absent_outside_a_fiber) { EXPECT_EQ(weft::fiber_properties(), nullptr); }

TEST(fiber_properties, belong_to_one_fiber_and_are_not_inherited) {
  weft::run([] {
    weft::fiber_properties()->set("name", "parent");
    weft::go([] {
      EXPECT_FALSE(weft::fiber_properties()->contains("name"));
      weft::fiber_properties()->set("name", "child");
    }).join();
    EXPECT_EQ(weft::fiber_properties()->get<std::string>("name"), "parent");
    EXPECT_TRUE(weft::fiber_properties()->remove("name"));
    EXPECT_TRUE(weft::fiber_properties()->names().empty());
  });
}

TEST(fiber_properties, end_after_what_the_fiber_deferred) {
  std::vector<std::string> ended;
  weft::run([&] {
    weft::go([&] {
      weft::fiber_properties()->set("noting", std::make_shared<noting>(ended));
      weft::defer([&] {
        EXPECT_TRUE(weft::fiber_properties()->contains("noting"));
        ended.push_back("deferred");
      });
    }).join();
  });
  EXPECT_EQ(ended, (std::vector<std::string>{"deferred", "property"}));
}

}  // namespace
