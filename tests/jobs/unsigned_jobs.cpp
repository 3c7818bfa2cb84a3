// Jobs that nobody has signed, as programs in other languages push them.

#include <weft/trace/propagation.hpp>

#include "jobs/jobs_fixture.hpp"
#include "support/expect_error.hpp"

namespace weft::jobs {
namespace {

struct mails {
  std::vector<std::string> sent;
  std::vector<trace::header> in_context;
};

// Named in unsigned_jobs, and one that is not.
const auto send_mail =
    named_closure<"unsigned.send">([](mails& to, std::string address, std::optional<std::int64_t> copies) {
      to.sent.push_back(address + " " + std::to_string(copies.value_or(1)));
      to.in_context = trace::to_headers();
      if (address == "nobody") throw error(errc::unknown, "there is no such address");
    });
/// Known to the program, as any that it may push.
closure<> drop_all() {
  return closure{named_closure<"unsigned.drop">([](mails& to) { to.sent = {"dropped"}; })};
}

class jobs_unsigned : public jobs_fixture {
 protected:
  jobs_unsigned() { app_.provide(mails_); }

  /// What a program in another language inserts.
  job_id insert(const std::string& body, const std::string& closure = "unsigned.send(str,i64?)",
                const std::string& queue = "inbox") {
    new_job row;
    row.id = job_id{next_id_++};
    row.queue = queue;
    row.handler = closure;
    row.envelope = body;
    row.created = row.run_at = clock_.now();
    return queue_->kept_in().push({&row, 1}).at(0);
  }
  std::size_t work(worker_options options = {}) {
    options.queues = {"inbox", "default"};
    options.unsigned_jobs = {{"inbox", {"unsigned.send"}}};
    return run_due(options);
  }

  mails mails_;
  std::int64_t next_id_ = 1;
};

TEST_F(jobs_unsigned, run_where_the_worker_names_their_queue_and_closure) {
  const auto id = insert(R"({"weft_job": 1, "arguments": ["a@example.org", 2], "source": "app.py:12"})");
  const auto other = insert(R"({"weft_job":1,"arguments":["b@example.org"]})");
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(mails_.sent, (std::vector<std::string>{"a@example.org 2", "b@example.org 1"}));
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(show(other).state, job_state::done);
  EXPECT_EQ(show(id).arguments, R"(["a@example.org",2])");
  EXPECT_EQ(show(id).source, "app.py:12");
  EXPECT_NE(show(id).problem.find("no signature"), std::string::npos);
}

TEST_F(jobs_unsigned, go_on_in_the_trace_of_who_pushed_them) {
  insert(
      R"({"weft_job":1,"arguments":["a"],"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
             "tracestate":"foo=1"})");
  EXPECT_EQ(work(), 1U);
  const std::vector<trace::header> expected{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"tracestate", "foo=1"}};
  EXPECT_EQ(mails_.in_context, expected);
}

TEST_F(jobs_unsigned, are_tried_again_as_often_as_they_say) {
  const auto id = insert(R"({"weft_job":1,"arguments":["nobody"],"attempts":2})");
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(show(id).state, job_state::scheduled);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(show(id).state, job_state::dead);
  EXPECT_EQ(show(id).attempts_max, 2);
}

TEST_F(jobs_unsigned, are_quarantined_in_a_queue_or_for_a_closure_that_is_not_named) {
  const std::string body = R"({"weft_job":1,"arguments":["x"]})";
  const auto elsewhere = insert(body, "unsigned.send(str,i64?)", "default");
  const auto other_closure = insert(R"({"weft_job":1,"arguments":[]})", drop_all().identity().text());
  work();
  EXPECT_TRUE(mails_.sent.empty());
  for (const auto id : {elsewhere, other_closure}) {
    EXPECT_EQ(show(id).state, job_state::quarantined);
    EXPECT_NE(show(id).past.at(0).error->message.find("unsigned_jobs"), std::string::npos);
  }
  const auto nowhere = insert(body);
  worker_options none;
  none.queues = {"inbox"};
  run_due(none);
  EXPECT_EQ(show(nowhere).state, job_state::quarantined);
  EXPECT_TRUE(mails_.sent.empty());
}

TEST_F(jobs_unsigned, that_are_malformed_are_quarantined) {
  for (const char* const body :
       {"{", "{}", R"({"weft_job":1})", R"({"weft_job":0,"arguments":["a"]})",
        R"({"weft_job":1,"arguments":"a"})", R"({"weft_job":1,"arguments":["a"],"attempts":0})",
        R"({"weft_job":1,"arguments":["a"],"timeout_ms":-1})",
        R"({"weft_job":1,"arguments":["a"],"attempts":"many"})",
        R"({"weft_job":1,"arguments":["a"]} and more)", "{\"weft_job\":1,\"arguments\":[\"\xff\"]}"}) {
    const auto id = insert(body);
    work();
    EXPECT_EQ(show(id).state, job_state::quarantined) << body;
  }
  EXPECT_TRUE(mails_.sent.empty());
}

TEST_F(jobs_unsigned, of_a_later_form_or_with_arguments_that_do_not_fit_are_kept) {
  const auto later = insert(R"({"weft_job":2,"arguments":["a"]})");
  const auto unfit = insert(R"({"weft_job":1,"arguments":[7]})");
  work();
  EXPECT_EQ(show(later).state, job_state::scheduled);
  EXPECT_EQ(show(unfit).state, job_state::scheduled);
  EXPECT_EQ(show(unfit).attempts, 0);
  EXPECT_TRUE(mails_.sent.empty());
}

TEST_F(jobs_unsigned, a_changed_signature_does_not_make_a_job_unsigned) {
  const auto id = queue_->push(closure{send_mail, std::string("signed"), std::optional<std::int64_t>{}},
                               {.queue = "inbox"});
  std::string bytes = queue_->kept_in().find(id)->envelope;
  bytes.at(0) = '{';
  put_envelope(id, bytes);
  work();
  EXPECT_EQ(show(id).state, job_state::quarantined);
  EXPECT_TRUE(mails_.sent.empty());
}

TEST_F(jobs_unsigned, a_worker_names_what_it_serves_and_has) {
  worker_options options;
  options.queues = {"inbox"};
  options.unsigned_jobs = {{"inbxo", {"unsigned.send"}}};
  EXPECT_NE(message_of(errc::invalid_argument, [&] { run_due(options); }).find("inbxo"), std::string::npos);
  options.unsigned_jobs = {{"inbox", {"unsigned.sedn"}}};
  EXPECT_NE(message_of(errc::invalid_argument, [&] { run_due(options); }).find("sedn"), std::string::npos);
}

}  // namespace
}  // namespace weft::jobs
