#include "jobs/postgres/body.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/numbered_call.hpp"
#include "jobs/postgres/pushes.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

/// Lets the store's own calls wait inside a body that must not.
class own_wait {
 public:
  own_wait() noexcept
      : task_(weft::detail::task_block::current()), former_(std::exchange(task_.no_wait, nullptr)) {}
  own_wait(const own_wait&) = delete;
  own_wait& operator=(const own_wait&) = delete;
  ~own_wait() { task_.no_wait = former_; }

 private:
  weft::detail::task_block& task_;
  const char* former_;
};

/// The first words of a statement, in capitals.
std::string first_word(std::string_view sql) {
  std::string word;
  for (const char one : sql) {
    if (std::isalpha(static_cast<unsigned char>(one)) != 0) {
      word += static_cast<char>(std::toupper(static_cast<unsigned char>(one)));
    } else if (!word.empty()) {
      break;
    }
  }
  return word;
}

/// It would end the transaction, or begin another one.
bool is_of_transactions(std::string_view sql) {
  const std::string word = first_word(sql);
  for (const std::string_view one : {"BEGIN", "START", "COMMIT", "END", "ABORT", "PREPARE"}) {
    if (word == one) return true;
  }
  if (word != "ROLLBACK") return false;
  std::string text(sql);
  std::ranges::transform(text, text.begin(), [](unsigned char one) { return std::toupper(one); });
  return text.find(" TO ") == std::string::npos;  // to a savepoint is the body's own
}

void add_value(parameters& to, const sql_value& value) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    to.untyped(std::to_string(*number));
  } else if (const auto* const real = std::get_if<double>(&value)) {
    to.real(*real);
  } else if (const auto* const text = std::get_if<std::string>(&value)) {
    to.untyped(*text);
  } else if (const auto* const bytes = std::get_if<sql_bytes>(&value)) {
    to.bytes(bytes->data);
  } else {
    to.untyped(std::nullopt);
  }
}

/// What a body may do, for jobs::transaction.
class body_transaction final : public store_transaction {
 public:
  body_transaction(store_thread& on, caller& by, names& known, connection& link)
      : on_(on), by_(by), known_(known), link_(link) {}

  job_id push(const new_job& job) override {
    const own_wait waits;
    return on_.call([&] {
      require_open();
      const new_job* const only = &job;
      known_.know(by_, {&only, 1});
      know_limits(by_, {&only, 1});
      const parameters with = push_parameters(&known_, {&only, 1}, false);
      return push_in_savepoint(link_, {push_statement, &with});
    });
  }
  ::sqlite3* sqlite() override { return nullptr; }
  sql_rows run(std::string_view sql, std::span<const sql_value> values) override {
    if (is_of_transactions(sql)) {
      throw error(errc::refused, "jobs: transact: the body must not begin or end transactions");
    }
    parameters with;
    for (const auto& value : values) add_value(with, value);
    const own_wait waits;
    return on_.call([&] {
      require_open();
      const result rows = link_.run(sql, with, {.rows = row_format::text});
      changes_ = rows.columns() == 0 ? rows.affected() : changes_;
      return rows.values();
    });
  }
  std::int64_t changes() override { return changes_; }

 private:
  void require_open() const {
    if (link_.is_open() && link_.is_in_transaction()) return;
    throw error(
        errc::misuse,
        "jobs: transact: the transaction is over, as its connection was lost; the body must let that error "
        "through");
  }

  store_thread& on_;
  caller& by_;
  names& known_;
  connection& link_;
  std::int64_t changes_ = 0;
};

[[noreturn]] void throw_took_too_long(const transaction_options& options) {
  throw error(errc::timed_out, "jobs: transact: the body took longer than its limit of " +
                                   std::to_string(options.limit.count()) +
                                   " ms and was undone; others may wait for it, so do slow work before it");
}

[[noreturn]] void throw_undone(const database_error& failed) {
  throw error(errc::unavailable,
              "jobs: transact: its end did not reach the server, and all of it was undone (" +
                  failed.message() + "); it may be done again");
}

/// Was the body's transaction committed, whose COMMIT was not answered?
bool is_done(caller& by, const std::string& number) {
  const auto call = []() -> doubtful_call {
    return {"transact", "look whether its jobs are there before you do it again"};
  };
  return by.run_until_known(
      call, [&](caller& own, bool) { return has_committed(own, number, call()); }, true);
}

}  // namespace

void run_body(store_thread& on, caller bodies, caller& by, names& known,
              const std::function<void(store_transaction&)>& body, const transaction_options& options) {
  weft::detail::check_cancelled("jobs: wait for the store");
  using lease = connection_pool::lease_of_connection;
  std::optional<lease> held;
  // A connection belongs to the store's thread, also where it is given back.
  const auto give_back = [&] { on.call([&] { held.reset(); }); };
  const std::string limit =
      "SET LOCAL statement_timeout = " + std::to_string(std::max<std::int64_t>(options.limit.count(), 1));
  std::string number;  // of the transaction
  on.call([&] {
    bodies.run_idempotent([&](connection&) {});  // one that is alive
    held.emplace(bodies.pool().lease(deadline_after(options.limit)));
    const std::array begin{statement{"BEGIN"}, statement{limit, nullptr, {.prepare = false}},
                           statement{transaction_number}};
    number = (*held)->run_all(begin)[2].text(0, 0);
  });
  const steady_time until = deadline_after(options.limit);
  bool was_in_doubt = false;  // at its end: how long that took is no matter of the body's
  body_transaction transaction(on, by, known, **held);
  try {
    {
      const no_wait_scope no_wait("the body of jobs::queue::transact");
      body(transaction);
    }
    if (steady_clock::now() > until) throw_took_too_long(options);
    // COMMIT alone would pass over a statement that failed, and whose error the body kept to itself.
    const std::array end{statement{"SELECT 1"}, statement{"COMMIT"}};
    const auto commit = [&] {
      try {
        (*held)->run_all(end);
      } catch (const database_error& failed) {
        if (!failed.is_in_doubt()) throw;
        was_in_doubt = true;
        if (!is_done(by, number)) throw_undone(failed);
      }
    };
    shield([&] { on.call(commit); });
  } catch (...) {
    shield(give_back);
    if (!was_in_doubt && steady_clock::now() > until) throw_took_too_long(options);
    throw;
  }
  shield(give_back);
}

}  // namespace weft::inline v1::jobs::postgres
