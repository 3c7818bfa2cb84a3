#include <thread>

#include <weft/wire/envelope.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/jobs_fixture.hpp"

// What somebody may try who can write to the store, but has no key. Rows of docs/formats/job.md.

namespace weft::jobs {
namespace {

struct counter {
  int runs = 0;
  int others = 0;
};

class job_attacks : public jobs_fixture {
 protected:
  job_attacks() { app_.provide(counter_); }

  static closure<> counted() {
    return closure{named_closure<"attacks.counted">([](counter& of, int by) { of.runs += by; }), 1};
  }
  static closure<> other() {
    return closure{named_closure<"attacks.other">([](counter& of, int by) { of.others += by; }), 1};
  }

  /// Pushes a job and puts other bytes in the place of its envelope.
  template <typename Change>
  job_id push_changed(Change change) {
    const job_id id = queue_->push(counted());
    put_envelope(id, change(queue_->kept_in().find(id)->envelope));
    return id;
  }
  void expect_quarantined(job_id id, errc why) {
    const auto job = show(id);
    EXPECT_EQ(job.state, job_state::quarantined);
    ASSERT_EQ(job.past.size(), 1U);
    EXPECT_EQ(job.past[0].outcome, attempt_outcome::refused);
    ASSERT_TRUE(job.past[0].error);
    EXPECT_EQ(job.past[0].error->code, why) << job.past[0].error->message;
    EXPECT_FALSE(job.problem.empty());
  }

  void open_with(std::shared_ptr<wire::key_ring> keys) {
    keys_ = std::move(keys);
    open();
  }

  counter counter_;
};

wire::key fixed_key(const char* id, char fill) {
  return {id, wire::secret_bytes(bytes(32, static_cast<std::byte>(fill)))};
}
std::shared_ptr<wire::key_ring> ring(std::vector<std::pair<const char*, char>> keys,
                                     std::vector<wire::retired_key> retired = {}) {
  std::vector<wire::key> made;
  for (const auto& [id, fill] : keys) made.push_back(fixed_key(id, fill));
  return std::make_shared<wire::key_ring>(std::move(made), std::move(retired));
}

TEST_F(job_attacks, unsigned_bytes_are_quarantined) {
  constexpr std::size_t mac_bytes = 32;
  const std::vector<std::function<std::string(std::string)>> changes{
      [](std::string) { return std::string(); },
      [](std::string it) { return it.substr(0, it.size() - mac_bytes); },
      [](std::string it) {
        return it.substr(2 + 2 + 4, it.size() - 2 - 2 - 4 - mac_bytes);
      },  // the body alone
      [](std::string it) { return it.substr(0, it.size() - 1); },
      [](std::string it) { return it + '\0'; },
      [](std::string it) { return it[0] = '\0', it; },
      [](std::string it) { return it[0] = '\xff', it; },
  };
  for (const auto& change : changes) {
    const job_id id = push_changed(change);
    EXPECT_EQ(run_due(), 1U);
    expect_quarantined(id, errc::malformed);
  }
  EXPECT_EQ(counter_.runs, 0);
}

TEST_F(job_attacks, a_signature_of_zeros_is_bad) {
  const job_id id = push_changed([](std::string it) {
    std::fill(it.end() - 32, it.end(), '\0');
    return it;
  });
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(id, errc::bad_signature);
  EXPECT_EQ(counter_.runs, 0);
}

TEST_F(job_attacks, each_single_bit_of_a_stored_job_is_quarantined_and_never_run) {
  const job_id whole = queue_->push(counted());
  const std::string good = queue_->kept_in().find(whole)->envelope;
  EXPECT_EQ(run_due(), 1U);
  // The bytes of the key's id, then it is another key's, and the bits of a later version: the job waits.
  const std::size_t key_id = 2;
  std::vector<std::size_t> bits;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    const bool waits = (bit > 0 && bit < 5) || bit / 8 == key_id || bit / 8 == key_id + 1;
    if (!waits) bits.push_back(bit);
  }
  const std::size_t quarantined = bits.size();
  const auto ids = queue_->push_many(std::vector<closure<>>(quarantined, counted()));
  std::string changes;
  for (std::size_t i = 0; i < quarantined; ++i) {
    std::string own = queue_->kept_in().find(ids[i])->envelope;
    own[bits[i] / 8] = static_cast<char>(own[bits[i] / 8] ^ (1 << bits[i] % 8));
    changes += envelope_change(ids[i], own);
  }
  tamper(changes);
  testing::internal::CaptureStderr();  // a line for each
  EXPECT_EQ(run_due(), quarantined);
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(counter_.runs, 1) << "only the whole one";
  EXPECT_EQ(last_.quarantined, quarantined);
  EXPECT_EQ(queue_->stats().at(0).quarantined, static_cast<std::int64_t>(quarantined));
}

TEST_F(job_attacks, size_key_signature_and_form_are_looked_at_in_that_order) {
  const auto refusal = [&](std::string_view bytes) {
    try {
      (void)unseal(*keys_, bytes);
    } catch (const error& refused) {
      return refused.code();
    }
    return errc::unknown;
  };
  const auto broken_body = wire::sign(*keys_, "job", as_bytes("no fields"));
  std::string it(as_text(broken_body));
  EXPECT_EQ(refusal(it), errc::malformed) << "signed, but no job";
  it.back() = static_cast<char>(it.back() ^ 1);
  EXPECT_EQ(refusal(it), errc::bad_signature) << "its form does not matter then";
  it[3] = 'x';
  EXPECT_EQ(refusal(it), errc::not_found) << "nor its signature";
  it.append(wire::envelope_bytes_max, 'x');
  EXPECT_EQ(refusal(it), errc::too_large) << "nor anything else";
}

TEST_F(job_attacks, an_over_long_row_is_quarantined_unread) {
  const job_id id = queue_->push(counted());
  const bool on_sqlite = !test_database::is_postgres();
  tamper(std::string("UPDATE weft_job SET envelope = ") +
         (on_sqlite ? "zeroblob(1024 * 1024 + 1)" : "convert_to(repeat(' ', 1024 * 1024 + 1), 'UTF8')"));
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(id, errc::too_large);
}

TEST_F(job_attacks, a_row_for_another_closure_of_the_program_is_refused) {
  const job_id id = queue_->push(counted());
  queue_->cancel(queue_->push(other()));  // so that its identity is known to the store
  for (const std::string table : {"weft_ready", "weft_job"}) {
    tamper("UPDATE " + table +
           " SET handler = (SELECT id FROM weft_handler WHERE identity LIKE 'attacks.other%')");
  }
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(id, errc::bad_signature);
  EXPECT_EQ(counter_.runs + counter_.others, 0);
}

TEST_F(job_attacks, what_was_signed_for_another_purpose_is_no_job) {
  const job_id id = push_changed([&](std::string it) {
    const auto body = wire::verify(*keys_, "job", as_bytes(it));
    return std::string(as_text(wire::sign(*keys_, "cookie", body)));
  });
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(id, errc::bad_signature);
}

TEST_F(job_attacks, a_job_of_another_tenant_is_refused) {
  queue_options options;
  options.tenant = "blue";
  open(options);
  const job_id blue = queue_->push(counted());
  EXPECT_TRUE(show(blue).problem.empty());
  options.tenant = "red";
  open(options);
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(blue, errc::bad_signature);
  EXPECT_NE(show(blue).past[0].error->message.find("\"blue\""), std::string::npos);
  open();
  queue_->push(counted());
  open(options);
  EXPECT_EQ(run_due(), 1U) << "one of nobody is of another, too";
  EXPECT_EQ(counter_.runs, 0);
}

TEST_F(job_attacks, an_id_is_taken_as_long_as_its_job_is_kept) {
  const job_id id = queue_->push(counted());
  const auto copy = *queue_->kept_in().find(id);
  const auto push_again = [&] {
    const new_job again{id, copy.queue, copy.handler, copy.envelope, 0, copy.created, copy.created};
    queue_->kept_in().push({&again, 1});
  };
  EXPECT_THROW(push_again(), error);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(queue_->purge(std::chrono::hours(2)), 0U);
  try {
    push_again();
    FAIL() << "a done job was pushed again";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::already_exists);
  }
  EXPECT_EQ(run_due(), 0U);
  EXPECT_EQ(counter_.runs, 1);
}

TEST_F(job_attacks, a_copy_of_a_purged_job_is_not_run_once_it_has_expired) {
  push_options options;
  options.expires = clock_.now() + std::chrono::minutes(30);
  const job_id id = queue_->push(counted(), options);
  const auto copy = *queue_->kept_in().find(id);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(queue_->purge(std::chrono::minutes(40)), 1U);
  const new_job again{id, copy.queue, copy.handler, copy.envelope, 0, copy.created, copy.created};
  queue_->kept_in().push({&again, 1});
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
  EXPECT_EQ(show(id).state, job_state::dead);
}

TEST_F(job_attacks, a_retired_key_is_an_error_of_its_own_and_quarantines) {
  open_with(ring({{"old", 'o'}}));
  const job_id id = queue_->push(counted());
  open_with(ring({{"new", 'n'}}, {{"old", {}}}));
  EXPECT_EQ(run_due(), 1U);
  expect_quarantined(id, errc::refused);
  EXPECT_EQ(counter_.runs, 0);
}

TEST_F(job_attacks, jobs_of_both_keys_run_while_the_keys_are_rotated) {
  constexpr int each = 2'500;
  const auto push_some = [&](std::shared_ptr<wire::key_ring> keys) {
    open_with(std::move(keys));
    queue_->push_many(std::vector<closure<>>(each, counted()));
  };
  push_some(ring({{"old", 'o'}}));
  push_some(ring({{"old", 'o'}, {"new", 'n'}}));
  push_some(ring({{"new", 'n'}, {"old", 'o'}}));
  push_some(ring({{"new", 'n'}, {"old", 'o'}}));
  // The worker works while somebody else, not restarted yet, still signs with the old key.
  queue late(database_->url(), {.keys = ring({{"old", 'o'}, {"new", 'n'}}), .clock = &clock_});
  std::thread other([&] {
    for (int i = 0; i < 10; ++i) late.push_many(std::vector<closure<>>(each / 10, counted()));
  });
  run_due();
  other.join();
  run_due();
  EXPECT_EQ(counter_.runs, 5 * each);
  const auto stats = queue_->stats().at(0);
  EXPECT_EQ(stats.done, 5 * each);
  EXPECT_EQ(stats.quarantined + stats.scheduled + stats.ready, 0);
}

TEST_F(job_attacks, each_queue_object_has_keys_of_its_own) {
  queue other(database_->other_url(), {.keys = ring({{"k1", 'x'}}), .clock = &clock_});
  const job_id mine = queue_->push(counted());
  const job_id its = other.push(counted());
  EXPECT_TRUE(show(mine).problem.empty());
  EXPECT_TRUE(other.show(its)->problem.empty());
  const auto copy = *other.kept_in().find(its);
  const new_job moved{its, copy.queue, copy.handler, copy.envelope, 0, copy.created, copy.created};
  queue_->kept_in().push({&moved, 1});
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(counter_.runs, 1);
  expect_quarantined(its, errc::bad_signature);
}

TEST_F(job_attacks, two_closures_on_one_line_are_two_jobs) {
  // clang-format off
  const closure one{[](counter& of) { of.runs += 1; }}; const closure two{[](counter& of) { of.others += 1; }};
  // clang-format on
  queue_->push(one);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.others, 0);
  queue_->push(two);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 1);
  EXPECT_EQ(counter_.others, 1);
}

TEST_F(job_attacks, a_bad_job_does_not_stop_the_others) {
  for (int i = 0; i < 5; ++i) {
    queue_->push(counted());
    push_changed([](std::string it) { return it.substr(2); });
  }
  EXPECT_EQ(run_due(), 10U);
  EXPECT_EQ(counter_.runs, 5);
  EXPECT_EQ(last_.quarantined, 5U);
}

TEST_F(job_attacks, arguments_nested_too_deep_are_refused_and_kept) {
  const job_id id = push_changed([&](std::string it) {
    job_envelope job = unseal(*keys_, it);
    job.arguments = std::string(100'000, '[') + std::string(100'000, ']');
    return seal(*keys_, job);  // also somebody with the key
  });
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(counter_.runs, 0);
  EXPECT_EQ(show(id).past.at(0).outcome, attempt_outcome::refused);
  EXPECT_EQ(show(id).state, job_state::scheduled);
}

}  // namespace
}  // namespace weft::jobs
