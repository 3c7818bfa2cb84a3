#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/jobs/postgres.hpp>
#include <weft/jobs/queue.hpp>

#include "support/expect_error.hpp"

// The sources that differ where weft is built without libpq are compiled so into this program.

namespace weft::jobs {
namespace {

const std::string server = "postgres://weft@nowhere/jobs";

void expect_unsupported(const std::function<void()>& call) {
  const std::string said = message_of(errc::unsupported, call);
  EXPECT_TRUE(has_text(said, "built without PostgreSQL")) << said;
}

TEST(WithoutPostgres, WhatNeedsItSaysSo) {
  expect_unsupported([] { (void)open_store(server); });
  expect_unsupported([] { (void)check_database(server); });
  expect_unsupported([] { (void)plan_migration(server); });
  expect_unsupported([] { (void)migrate_database(server); });
  expect_unsupported([] { grant_rights(server, "shop", "worker"); });
  expect_unsupported([] { (void)copy_database(server, "sqlite:/nowhere/jobs.db"); });
}

TEST(WithoutPostgres, OtherStoresOpen) {
  queue kept("memory:", {.keys = std::make_shared<wire::key_ring>(wire::key::generate("k1"))});
  EXPECT_TRUE(kept.stats().empty());
  EXPECT_THROW(postgres_transaction(kept, nullptr), error);
}

}  // namespace
}  // namespace weft::jobs
