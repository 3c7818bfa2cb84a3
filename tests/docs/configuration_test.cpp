// What docs/configuration.md shows.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <weft/config/config.hpp>

#include "support/scratch_folder.hpp"

namespace {

// example: configuration
struct worker_settings {
  std::uint16_t concurrency = 10;
  std::chrono::milliseconds poll_interval{1000};
};
WEFT_DESCRIBE(worker_settings, concurrency, poll_interval);

struct shop_settings {
  std::string db = "sqlite:shop.db";
  weft::config::byte_size upload_max{8 << 20};
  weft::secret<std::string> mail_password = {};
  worker_settings worker = {};
};
WEFT_DESCRIBE(shop_settings, db, upload_max, mail_password, worker);
// end of example

TEST(docs_configuration, is_read) {
  const weft_test::scratch_folder folder;
  const std::string file = folder / "shop.toml";
  std::ofstream(file) << "upload_max = \"64MiB\"\n[worker]\npoll_interval = \"5s\"\n";
  // example: configuration_load
  auto loaded = weft::config::load<shop_settings>({.file = file, .environment_prefix = "SHOP_"});
  const shop_settings& settings = loaded.values;
  // end of example
  EXPECT_EQ(settings.db, "sqlite:shop.db");
  EXPECT_EQ(settings.upload_max, weft::config::byte_size{64 << 20});
  EXPECT_EQ(settings.worker.poll_interval, std::chrono::seconds(5));
}

}  // namespace
