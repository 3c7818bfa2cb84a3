#include <gtest/gtest.h>

#include <weft/closure/registry.hpp>

namespace {

TEST(weft_jobs, brings_closures_of_a_static_library_into_the_program) {
  const auto known = weft::closure_registry::find("library.welcome(str)");
  ASSERT_TRUE(known) << known.refusal().message;
  EXPECT_NE(known->place.file.find("mails.cpp"), std::string::npos);
}

}  // namespace
