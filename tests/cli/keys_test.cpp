#include "cli/keys.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <weft/closure/closure.hpp>
#include <weft/codec/secret.hpp>
#include <weft/core/error.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/key_file.hpp>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

namespace {

using weft::wire::from_json;
using weft::wire::key;
using weft::wire::key_ring;
using weft_test::command_outcome;
using weft_test::run_weft;

class weft_keys : public testing::Test {
 protected:
  command_outcome keys(std::vector<std::string> arguments) {
    note_secrets();
    arguments.insert(arguments.begin(), "keys");
    auto done = run_weft(std::move(arguments));
    note_secrets();
    for (const auto& one : secrets_) EXPECT_EQ((done.out + done.err).find(one), std::string::npos);
    return done;
  }
  /// All that the file ever had.
  void note_secrets() {
    if (!std::filesystem::exists(file_)) return;
    for (const auto& one : weft::wire::key_file::load(file_).keys) {
      secrets_.insert(weft::wire::to_base64(one.secret()));
    }
  }
  std::vector<std::string> ids() const { return key_ring::load(file_).ids(); }
  std::string text() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string url() const { return "sqlite:" + (folder_ / "jobs.db"); }
  void push_one(bool with_secret = false) {
    const auto keys = std::make_shared<const key_ring>(key_ring::load(file_));
    weft::jobs::queue queue(url(), {.keys = keys, .secret_keys = keys});
    if (with_secret) {
      queue.push(weft::closure{weft::named_closure<"keys.secret">([](weft::secret<int>) {}), 7});
    } else {
      queue.push(weft::closure{weft::named_closure<"keys.plain">([] {})});
    }
  }

  weft_test::scratch_folder folder_;
  const std::string file_ = folder_ / "keys";
  std::set<std::string> secrets_;
};

TEST_F(weft_keys, are_generated_for_their_owner_only_and_never_over_others) {
  EXPECT_EQ(keys({"generate", file_, "--id", "first"}).status, 0);
  struct stat info {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(ids(), std::vector<std::string>{"first"});
  const auto before = text();
  const auto again = keys({"generate", file_});
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find(file_), std::string::npos);
  EXPECT_EQ(text(), before);
}

TEST_F(weft_keys, have_the_date_as_id_unless_one_is_given) {
  EXPECT_EQ(keys({"generate", file_}).status, 0);
  EXPECT_EQ(keys({"rotate", file_}).status, 0);
  const auto all = ids();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].size(), 10U) << all[1];
  EXPECT_NE(all[0], all[1]);
}

TEST_F(weft_keys, are_rotated_in_two_steps_where_no_job_may_wait) {
  keys({"generate", file_, "--id", "old"});
  EXPECT_EQ(keys({"rotate", file_, "--id", "new", "--verify-only"}).status, 0);
  EXPECT_EQ(ids(), (std::vector<std::string>{"old", "new"}));
  EXPECT_EQ(keys({"rotate", file_, "--to", "new"}).status, 0);
  EXPECT_EQ(ids(), (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(keys({"rotate", file_, "--id", "third"}).status, 0);
  EXPECT_EQ(ids(), (std::vector<std::string>{"third", "new", "old"}));
  EXPECT_EQ(keys({"rotate", file_, "--id", "old"}).status, 1) << "there is one of that id";
  EXPECT_EQ(keys({"rotate", file_, "--id", "a b"}).status, 1) << "no id";
  EXPECT_EQ(keys({"rotate", file_, "--to", "none"}).status, 1);
  EXPECT_EQ(keys({"rotate", file_, "--to", "new", "--id", "x"}).status, 2) << "either or";
  EXPECT_EQ(ids().size(), 3U);
}

TEST_F(weft_keys, are_listed_with_their_ages_and_never_with_their_secrets) {
  keys({"generate", file_, "--id", "old"});
  keys({"rotate", file_, "--id", "new"});
  keys({"retire", file_, "old"});
  const auto shown = keys({"list", file_});
  EXPECT_EQ(shown.status, 0);
  EXPECT_NE(shown.out.find("new  signs "), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("old  retired "), std::string::npos) << shown.out;
  const auto read = from_json<std::vector<weft::cli::listed_key>>(keys({"list", file_, "--json"}).out);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].id, "new");
  EXPECT_EQ(read[0].use, "signs");
  EXPECT_LT(read[0].age_seconds.value(), 3600);
  EXPECT_EQ(read[1].use, "retired");
  EXPECT_FALSE(read[1].retired.empty());
}

TEST_F(weft_keys, are_retired_but_not_while_they_sign_or_jobs_need_them) {
  keys({"generate", file_, "--id", "old"});
  push_one(true);
  const auto signs = keys({"retire", file_, "old"});
  EXPECT_EQ(signs.status, 1);
  EXPECT_NE(signs.err.find("rotate"), std::string::npos) << signs.err;
  keys({"rotate", file_, "--id", "new"});
  const auto needed = keys({"retire", file_, "old", "--store", url()});
  EXPECT_EQ(needed.status, 1);
  EXPECT_NE(needed.err.find("1 job that waits or runs, "), std::string::npos) << needed.err;
  EXPECT_EQ(ids().size(), 2U);
  EXPECT_EQ(keys({"retire", file_, "none"}).status, 1);
  EXPECT_EQ(keys({"retire", file_, "old", "--store", url(), "--force"}).status, 0);
  EXPECT_EQ(ids(), std::vector<std::string>{"new"});
  EXPECT_EQ(key_ring::load(file_).retired().at(0).id, "old");
  EXPECT_EQ(keys({"rotate", file_, "--id", "old"}).status, 1) << "its id is not used again";
}

TEST_F(weft_keys, are_not_retired_while_any_job_that_may_still_run_needs_them) {
  const auto refusal = [&] { return keys({"retire", file_, "old", "--store", url()}).err; };
  keys({"generate", file_, "--id", "old"});
  const auto old = std::make_shared<const key_ring>(key_ring::load(file_));
  keys({"rotate", file_, "--id", "new"});
  const weft::closure job{weft::named_closure<"keys.needed">([] {})};
  {
    weft::jobs::queue first(url(), {.keys = std::make_shared<const key_ring>(key_ring::load(file_))});
    const auto parent = first.push(job);
    weft::jobs::queue second(url(), {.keys = old});
    const auto blocked = second.push(job, {.after = {parent}});
    EXPECT_NE(refusal().find("1 job that waits or runs, "), std::string::npos) << "it is blocked";
    second.cancel(blocked);
    EXPECT_NE(refusal().find("1 dead, cancelled"), std::string::npos) << "it may be retried";
    second.purge(std::chrono::microseconds(-1'000'000));
    EXPECT_EQ(second.list().size(), 1U);
    // Its signature is of a key that is in another file.
    const auto elsewhere = std::make_shared<const key_ring>(key::generate("elsewhere"));
    weft::jobs::queue third(url(), {.keys = elsewhere, .secret_keys = old});
    third.push(weft::closure{weft::named_closure<"keys.needed_secret">([](weft::secret<int>) {}), 7});
  }
  EXPECT_NE(refusal().find("1 secret "), std::string::npos);
  EXPECT_EQ(ids().size(), 2U);
}

TEST_F(weft_keys, are_checked_against_the_jobs_that_need_them) {
  keys({"generate", file_, "--id", "old"});
  push_one();
  push_one(true);
  EXPECT_EQ(keys({"check", file_, "--store", url()}).status, 0);
  const auto all = from_json<weft::cli::keys_report>(keys({"check", file_, "--store", url(), "--json"}).out);
  EXPECT_EQ(all.uses.at(0).secrets, 1);
  const auto other = folder_ / "other";
  keys({"generate", other, "--id", "else"});
  const auto lacks = keys({"check", other, "--store", url(), "--json"});
  EXPECT_EQ(lacks.status, 1);
  const auto report = from_json<weft::cli::keys_report>(lacks.out);
  ASSERT_EQ(report.uses.size(), 1U);
  EXPECT_EQ(report.uses[0].id, "old");
  EXPECT_EQ(report.uses[0].waiting, 2);
  EXPECT_EQ(report.problems.size(), 1U);
}

TEST_F(weft_keys, are_checked_for_what_stops_a_program_from_using_them) {
  const auto missing = keys({"check", file_});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("weft keys generate"), std::string::npos) << missing.err;
  keys({"generate", file_});
  EXPECT_EQ(keys({"check", file_}).status, 0);
  EXPECT_EQ(keys({"check", file_, "--max-age", "1"}).status, 0);
  EXPECT_EQ(keys({"check", file_, "--store", "sqlite:" + (folder_ / "none.db")}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db")) << "a check makes nothing";
  ASSERT_EQ(chmod(file_.c_str(), 0640), 0);
  const auto open = run_weft({"keys", "check", file_});
  EXPECT_EQ(open.status, 1);
  EXPECT_NE(open.err.find("chmod"), std::string::npos) << open.err;
  ASSERT_EQ(chmod(file_.c_str(), 0600), 0);
  std::ofstream(file_) << "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= created=2020-01-01T00:00:00Z\n";
  const auto aged = keys({"check", file_, "--max-age", "365"});
  EXPECT_EQ(aged.status, 1);
  EXPECT_NE(aged.out.find("rotate"), std::string::npos) << aged.out;
}

TEST_F(weft_keys, without_a_file_or_a_command_are_wrong_usage) {
  EXPECT_EQ(keys({}).status, 2);
  EXPECT_EQ(keys({"generate"}).status, 2);
  EXPECT_EQ(keys({"retire", file_}).status, 2);
  EXPECT_EQ(keys({"check", file_, "--max-age", "0"}).status, 2);
}

}  // namespace
