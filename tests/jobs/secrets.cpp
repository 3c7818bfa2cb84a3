#include <chrono>

#include <weft/codec/secret.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/job_secrets.hpp"
#include "jobs/jobs_fixture.hpp"

// Arguments that nobody but the function may see.

namespace weft::jobs {
namespace {

const std::string token = "hunter2-and-more";

struct login {
  std::string name;
  secret<std::string> password;
};
WEFT_DESCRIBE(login, name, password);

struct seen {
  std::vector<std::string> values;
};

class job_secrets : public jobs_fixture {
 protected:
  job_secrets() {
    app_.provide(seen_);
    open_with(keys_);
  }

  void open_with(std::shared_ptr<const wire::key_ring> secret_keys) {
    queue_options options;
    options.secret_keys = std::move(secret_keys);
    open(std::move(options));
  }

  static closure<> keep(std::string first, secret<std::string> hidden, std::string last) {
    return closure{
        named_closure<"secrets.keep">([](seen& into, std::string a, secret<std::string> b, std::string c) {
          into.values.push_back(a + '/' + b.reveal() + '/' + c);
        }),
        std::move(first), std::move(hidden), std::move(last)};
  }

  job_envelope stored(job_id id) { return unseal(*keys_, queue_->kept_in().find(id)->envelope); }

  /// Puts another envelope in the place of a job's own, signed with the right key.
  void put_back(const job_envelope& job) { put_envelope(job.id, seal(*keys_, job)); }

  /// All bytes that are on disk.
  std::string on_disk() const { return database_->all_bytes(); }

  seen seen_;
};

TEST_F(job_secrets, are_encrypted_at_rest_and_clear_to_their_function) {
  const job_id id = queue_->push(keep("ann", token, "end"));
  EXPECT_EQ(stored(id).arguments, R"-(["ann","(secret)","end"])-") << "the others can be read";
  EXPECT_EQ(on_disk().find(token), std::string::npos);
  EXPECT_NE(on_disk().find("(secret)"), std::string::npos) << "this does look at what is kept";
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(seen_.values, std::vector<std::string>{"ann/" + token + "/end"});
  EXPECT_EQ(on_disk().find(token), std::string::npos);
}

TEST_F(job_secrets, may_be_anywhere_in_the_arguments) {
  const closure many{named_closure<"secrets.many">([](seen& into, std::vector<login> all,
                                                      std::optional<secret<int>> number, std::string last) {
                       for (const auto& one : all) into.values.push_back(one.name + one.password.reveal());
                       into.values.push_back(number ? std::to_string(number->reveal()) : "none");
                       into.values.push_back(last);
                     }),
                     std::vector<login>{{"a", token}, {"b", ""}, {"\"(secret)\"", "(secret)"}},
                     std::optional<secret<int>>(7), std::string("\"(secret)\"")};
  const job_id id = queue_->push(many);
  EXPECT_EQ(stored(id).secrets.size(), 4U);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(seen_.values,
            (std::vector<std::string>{"a" + token, "b", "\"(secret)\"(secret)", "7", "\"(secret)\""}));
}

TEST_F(job_secrets, are_refused_by_a_queue_without_keys_for_them) {
  open_with(nullptr);
  const auto refusal = [&](auto push) {
    try {
      push();
    } catch (const error& refused) {
      EXPECT_NE(refused.message().find("secret_keys"), std::string::npos) << refused.what();
      EXPECT_EQ(refused.message().find(token), std::string::npos);
      return refused.code();
    }
    return errc::unknown;
  };
  EXPECT_EQ(refusal([&] { queue_->push(keep("a", token, "b")); }), errc::refused);
  EXPECT_EQ(refusal([&] { queue_->transact([&](transaction& tx) { tx.push(keep("a", token, "b")); }); }),
            errc::refused);
  EXPECT_EQ(refusal([&] { queue_->push_many(std::vector{keep("a", token, "b")}); }), errc::refused);
  EXPECT_TRUE(queue_->list().empty());
}

TEST_F(job_secrets, are_no_unique_key) {
  push_options options;
  options.unique.emplace();
  EXPECT_THROW(queue_->push(keep("a", token, "b"), options), error);
  options.unique->key = "a";
  const job_id id = queue_->push(keep("a", token, "b"), options);
  EXPECT_EQ(queue_->push(keep("a", "another", "b"), options), id);
}

TEST_F(job_secrets, wait_for_a_worker_that_has_the_key) {
  const job_id id = queue_->push(keep("a", token, "b"));
  for (const auto& other : {std::shared_ptr<const wire::key_ring>(),
                            std::make_shared<const wire::key_ring>(wire::key::generate("of_others"))}) {
    open_with(other);
    EXPECT_EQ(run_due(), 1U);
    EXPECT_TRUE(seen_.values.empty());
    EXPECT_EQ(show(id).state, job_state::scheduled);
    EXPECT_EQ(show(id).attempts, 0);
    EXPECT_EQ(show(id).past.back().error->code, errc::not_found);
    clock_.advance(std::chrono::minutes(1));
  }
  open_with(keys_);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(seen_.values.size(), 1U);
}

TEST_F(job_secrets, are_of_no_use_in_another_job_or_place_even_to_who_can_sign) {
  const job_id victim = queue_->push(keep("a", token, "b"));
  job_envelope thief = stored(queue_->push(keep("x", "mine", "y")));
  thief.secrets = stored(victim).secrets;
  put_back(thief);
  const closure two{named_closure<"secrets.two">([](seen& into, secret<int> a, secret<int> b) {
                      into.values.push_back(std::to_string(a.reveal() - b.reveal()));
                    }),
                    1, 2};
  job_envelope swapped = stored(queue_->push(two));
  std::swap(swapped.secrets[0].sealed, swapped.secrets[1].sealed);
  put_back(swapped);
  EXPECT_EQ(run_due(), 3U);
  EXPECT_EQ(seen_.values, std::vector<std::string>{"a/" + token + "/b"}) << "only the one that was pushed";
  for (const job_id id : {thief.id, swapped.id}) {
    EXPECT_EQ(show(id).state, job_state::quarantined);
    EXPECT_EQ(show(id).past.at(0).error->code, errc::bad_signature);
  }
}

TEST_F(job_secrets, are_malformed_where_the_arguments_have_no_place_for_them) {
  job_envelope good = stored(queue_->push(keep("a", token, "b")));
  const auto is_refused = [&](auto change) {
    job_envelope bad = good;
    change(bad);
    try {
      (void)unseal(*keys_, seal(*keys_, bad));
    } catch (const error& refused) {
      return refused.code() == errc::malformed;
    }
    return false;
  };
  EXPECT_FALSE(is_refused([](job_envelope&) {}));
  EXPECT_TRUE(is_refused([](job_envelope& job) { job.secrets[0].place += 1; }));
  EXPECT_TRUE(is_refused([](job_envelope& job) { job.secrets[0].place = UINT64_MAX; }));
  EXPECT_TRUE(is_refused([](job_envelope& job) { job.secrets.push_back(job.secrets[0]); }));
  EXPECT_TRUE(is_refused([](job_envelope& job) { job.arguments.clear(); }));
}

TEST_F(job_secrets, are_read_by_old_keys_after_a_rotation_and_not_by_retired_ones) {
  const auto key_of = [](const char* id, char fill) {
    return wire::key(id, wire::secret_bytes(bytes(32, static_cast<std::byte>(fill))));
  };
  const auto ring = [&](bool with_old, std::vector<wire::retired_key> retired) {
    std::vector<wire::key> keys;
    keys.push_back(key_of("new", 'n'));
    if (with_old) keys.push_back(key_of("old", 'o'));
    return std::make_shared<const wire::key_ring>(std::move(keys), std::move(retired));
  };
  open_with(std::make_shared<const wire::key_ring>(key_of("old", 'o')));
  queue_->push(keep("1", token, ""));
  open_with(ring(true, {}));
  queue_->push(keep("2", token, ""));
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(seen_.values.size(), 2U);
  open_with(std::make_shared<const wire::key_ring>(key_of("old", 'o')));
  const job_id late = queue_->push(keep("3", token, ""));
  open_with(ring(false, {{"old", {}}}));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(late).state, job_state::quarantined);
  EXPECT_EQ(show(late).past.at(0).error->code, errc::refused);
}

TEST_F(job_secrets, are_in_no_log_and_no_error) {
  const closure fails{named_closure<"secrets.fails">([](login who) {
                        log::info("logs in", {{"who", who.name}});
                        throw std::runtime_error("the door is locked");
                      }),
                      login{"ann", token}};
  const job_id id = queue_->push(fails);
  job_envelope unfit = stored(id);
  unfit.id = job_id{77};
  unfit.arguments = R"-([7,"(secret)"])-";
  unfit.secrets.clear();
  std::vector<detail::clear_secret> clear;
  clear.push_back({3, wire::secret_bytes(as_bytes('"' + token + '"'))});
  hide_secrets(unfit, clear, keys_.get());
  const new_job row{unfit.id, unfit.queue,   unfit.closure, seal(*keys_, unfit),
                    0,        unfit.created, unfit.created};
  queue_->kept_in().push({&row, 1});
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_due(), 2U);
  EXPECT_TRUE(log::flush(std::chrono::seconds(10)));
  EXPECT_EQ(testing::internal::GetCapturedStderr().find(token), std::string::npos);
  EXPECT_EQ(show(id).attempts, 1);
  EXPECT_EQ(show(unfit.id).past.at(0).outcome, attempt_outcome::refused);
  EXPECT_EQ(on_disk().find(token), std::string::npos);
}

}  // namespace
}  // namespace weft::jobs
