#include "jobs/jobs_fixture.hpp"

#include <openssl/evp.h>

#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

#include "jobs/job_envelope.hpp"

namespace weft::jobs {
namespace {

struct counter {
  int runs = 0;
};

class jobs_signing : public jobs_fixture {
 protected:
  jobs_signing() { app_.provide(counter_); }
  static closure<> counted() {
    return closure{named_closure<"test.counted">([](counter& of, int by) { of.runs += by; }), 1};
  }
  counter counter_;
};

TEST_F(jobs_signing, what_was_sealed_comes_back) {
  job_envelope job;
  job.id = job_id{42};
  job.queue = "mail";
  job.closure = "mail.welcome(str)";
  job.arguments = "[\"a\\u0000b\"]";
  job.created = moment(std::chrono::microseconds(5));
  job.not_before = moment(std::chrono::microseconds(6));
  job.attempts_max = 7;
  job.timeout = std::chrono::seconds(8);
  job.expires = moment(std::chrono::microseconds(9));
  job.context = std::string("c\0x", 3);
  job.source = "mail.cpp:1";
  job.trace = job_trace::child;
  const auto back = unseal(*keys_, seal(*keys_, job));
  EXPECT_EQ(back.id, job.id);
  EXPECT_EQ(back.queue, job.queue);
  EXPECT_EQ(back.closure, job.closure);
  EXPECT_EQ(back.arguments, job.arguments);
  EXPECT_EQ(back.created, job.created);
  EXPECT_EQ(back.not_before, job.not_before);
  EXPECT_EQ(back.attempts_max, job.attempts_max);
  EXPECT_EQ(back.timeout, job.timeout);
  EXPECT_EQ(back.expires, job.expires);
  EXPECT_EQ(back.context, job.context);
  EXPECT_EQ(back.source, job.source);
  EXPECT_EQ(back.trace, job.trace);
}

TEST_F(jobs_signing, each_single_bit_that_is_changed_is_refused) {
  const job_id id = queue_->push(counted());
  const std::string good = queue_->kept_in().find(id)->envelope;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_THROW(unseal(*keys_, bad), error) << "bit " << bit;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_THROW(unseal(*keys_, good.substr(0, length)), error) << "length " << length;
  }
  EXPECT_THROW(unseal(*keys_, good + "x"), error);
  EXPECT_NO_THROW(unseal(*keys_, good));
}

TEST_F(jobs_signing, a_changed_row_is_quarantined_never_run_and_kept) {
  const job_id id = queue_->push(counted());
  std::string changed = queue_->kept_in().find(id)->envelope;
  changed.replace(changed.find("[1]"), 3, "[9]");
  put_envelope(id, changed);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(last_.quarantined, 1U);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::quarantined);
  EXPECT_FALSE(job.problem.empty());
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::refused);
  clock_.advance(std::chrono::hours(10000));
  EXPECT_EQ(queue_->purge(std::chrono::hours(1)), 0U);
  EXPECT_EQ(show(id).state, job_state::quarantined);
}

TEST_F(jobs_signing, a_row_copied_under_another_id_or_queue_is_refused) {
  const job_id id = queue_->push(counted());
  auto copy = *queue_->kept_in().find(id);
  const new_job other_id{job_id{99}, copy.queue, copy.handler, copy.envelope, 0, copy.created, copy.created};
  queue_->kept_in().push({&other_id, 1});
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(counter_.runs, 1) << "only the one that was pushed";
  EXPECT_EQ(show(job_id{99}).state, job_state::quarantined);
  EXPECT_EQ(show(job_id{99}).past.at(0).error->code, errc::bad_signature);

  const job_id moved = queue_->push(counted());
  tamper("INSERT INTO weft_queue (name) VALUES ('other')");
  tamper("UPDATE weft_ready SET queue = (SELECT id FROM weft_queue WHERE name = 'other')");
  if (test_database::is_postgres()) tamper("INSERT INTO weft_line SELECT queue, handler FROM weft_ready");
  worker_options options;
  options.queues = {"other"};
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_EQ(counter_.runs, 1);
  EXPECT_EQ(show(moved).state, job_state::quarantined);
}

TEST_F(jobs_signing, a_row_brought_forward_still_waits_for_the_signed_moment) {
  push_options options;
  options.delay = std::chrono::hours(1);
  const job_id id = queue_->push(counted(), options);
  tamper("UPDATE weft_scheduled SET run_at = 0");
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(show(id).state, job_state::scheduled);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
}

TEST_F(jobs_signing, an_unknown_key_is_an_error_of_its_own_and_keeps_the_job) {
  const job_id id = queue_->push(counted());
  auto first = keys_;
  keys_ = std::make_shared<wire::key_ring>(wire::key::generate("k2"));
  open();
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 0);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.past.at(0).error->code, errc::not_found);
  EXPECT_NE(job.past.at(0).error->message.find("k1"), std::string::npos);
  keys_ = first;
  open();
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
}

class failing_library {
 public:
  failing_library() { EVP_set_default_properties(nullptr, "provider=none"); }
  failing_library(const failing_library&) = delete;
  failing_library& operator=(const failing_library&) = delete;
  ~failing_library() { EVP_set_default_properties(nullptr, ""); }
};

// It would say of every job that it is not what was pushed.
TEST_F(jobs_signing, a_library_that_fails_is_no_fault_of_the_job) {
  const auto same_key = [] {
    return std::make_shared<wire::key_ring>(wire::key("k1", wire::secret_bytes(bytes(32, std::byte{7}))));
  };
  keys_ = same_key();
  open();
  const job_id id = queue_->push(counted());
  keys_ = same_key();  // one that has derived nothing yet
  open();
  {
    const failing_library fails;
    EXPECT_EQ(run_due(), 1U);
  }
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(last_.refused, 1U);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.past.at(0).error->code, errc::internal) << job.past.at(0).error->message;
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
}

TEST_F(jobs_signing, a_job_of_a_later_version_is_put_back_and_not_run) {
  const job_id outer = queue_->push(counted());
  const job_id inner = queue_->push(counted());
  const std::string good = queue_->kept_in().find(outer)->envelope;
  wire::canonical_writer fields;
  fields.unsigned_integer(9);
  fields.text("of a program that is not written yet");
  put_envelope(outer, '\x02' + good.substr(1));
  put_envelope(inner, std::string(as_text(wire::sign(*keys_, "job", fields))));
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(last_.refused, 2U);
  EXPECT_EQ(last_.quarantined, 0U);
  for (const job_id id : {outer, inner}) {
    EXPECT_EQ(show(id).state, job_state::scheduled);
    EXPECT_EQ(show(id).attempts, 0);
    EXPECT_EQ(show(id).past.at(0).error->code, errc::unsupported);
  }
  put_envelope(outer, good);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(counter_.runs, 1) << "as soon as it can be read";
}

TEST_F(jobs_signing, a_key_with_the_same_id_and_another_secret_is_a_bad_signature) {
  const job_id id = queue_->push(counted());
  keys_ = std::make_shared<wire::key_ring>(wire::key::generate("k1"));
  open();
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(show(id).state, job_state::quarantined);
}

TEST_F(jobs_signing, a_queue_without_keys_does_not_open) {
  try {
    queue without("memory:", {});
    FAIL() << "it opened";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::invalid_argument);
  }
}

TEST_F(jobs_signing, a_job_over_the_size_limit_is_refused_at_the_push) {
  const closure large{named_closure<"test.large">([](std::string) {}), std::string(2 << 20, 'x')};
  try {
    queue_->push(large);
    FAIL() << "it was pushed";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::too_large);
  }
  EXPECT_TRUE(queue_->list().empty());
}

TEST_F(jobs_signing, statements_and_pushes_of_a_transaction_are_one) {
  const bool on_sqlite = !test_database::is_postgres();
  const std::string insert = std::string("INSERT INTO people VALUES (") + (on_sqlite ? "?)" : "$1)");
  queue_->transact([](transaction& tx) { tx.execute("CREATE TABLE people (mail TEXT PRIMARY KEY)"); });
  const job_id id = queue_->transact([&](transaction& tx) {
    EXPECT_EQ(tx.execute(insert, "a@b.c"), 1);
    if (on_sqlite) {
      EXPECT_NE(tx.sqlite(), nullptr);
    } else {
      EXPECT_THROW(tx.sqlite(), error);
    }
    return tx.push(counted());
  });
  EXPECT_THROW(queue_->transact([&](transaction& tx) {
    tx.push(counted());
    tx.execute(insert, "a@b.c");
  }),
               error);
  const auto rows = queue_->transact([](transaction& tx) {
    auto all = tx.query("SELECT count(*) FROM people");
    tx.execute("DROP TABLE people");
    return all;
  });
  EXPECT_EQ(rows, (sql_rows{{std::int64_t{1}}}));
  ASSERT_EQ(queue_->list().size(), 1U);
  EXPECT_EQ(queue_->list()[0].id, id);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
}

TEST_F(jobs_signing, a_push_of_the_queue_inside_a_transaction_is_refused_as_a_wait) {
  try {
    queue_->transact([&](transaction&) { queue_->push(counted()); });
    FAIL() << "it waited for itself";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::misuse);
  }
}

}  // namespace
}  // namespace weft::jobs
