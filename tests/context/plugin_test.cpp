// Keys of a library that the program loads and closes.
#include <dlfcn.h>

#include <memory>

#include <gtest/gtest.h>

#include <weft/context/context.hpp>

namespace weft {
namespace {

TEST(context_plugin, values_outlive_the_dlclose_of_the_library_that_made_them) {
  void* const library = dlopen(WEFT_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto make = reinterpret_cast<context* (*)(bool*)>(dlsym(library, "make_context"));
  ASSERT_NE(make, nullptr) << dlerror();
  bool gone = false;
  std::unique_ptr<context> kept(make(&gone));
  ASSERT_EQ(dlclose(library), 0);

  const detail::key_record* const key = detail::find_key("plugin.badge");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->spec.name, "plugin.badge");
  EXPECT_FALSE(gone);
  kept.reset();  // its destructor is the library's
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace weft
