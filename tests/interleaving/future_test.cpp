#include <weft/executor/future.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>

#include "core/still_oracle.hpp"
#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

// What a promise and a future share: setting, waiting, giving up and dropping both ends, in all orders.

namespace weft {
namespace {

int reports = 0;  // of errors that nobody looked at, in this execution

}  // namespace

namespace detail {
void report_unobserved(const std::exception_ptr&, const error_origin*) noexcept { ++reports; }
std::shared_ptr<const error_origin> failure_here(const std::exception_ptr&) noexcept { return nullptr; }
void end_in_root(unique_function<void(cancel_reason)>) noexcept {}
unique_function<void(cancel_reason)> bind_told(unique_function<void(cancel_reason)> told) { return told; }
}  // namespace detail

namespace {

using namespace std::chrono_literals;
using detail::explored_task;

void expect_complete(const explore::outcome& tried, std::size_t executions_min = 100) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, executions_min);
}
void expect_found(const explore::outcome& tried, const char* what) {
  EXPECT_EQ(tried.failure.find(what), 0U) << tried.failure;
}

/// What happened in an execution.
struct ledger {
  int set = 0;        // outcomes that were taken
  int refused = 0;    // and that came too late
  int values = 0;     // that were read
  int errors = 0;     // that were read
  int broken = 0;     // promises
  int made = 0;       // values
  int ended = 0;      // values
  bool gone = false;  // the shared part, where that can be told
};

/// A value that is counted, however often it moves.
class counted_value {
 public:
  explicit counted_value(ledger& book) : book_(&book) { ++book.made; }
  counted_value(counted_value&& other) noexcept {
    explore::point("move a value");
    book_ = std::exchange(other.book_, nullptr);
  }
  counted_value& operator=(counted_value&&) = delete;
  ~counted_value() {
    if (book_ != nullptr) ++book_->ended;
  }
  bool is_there() const noexcept { return book_ != nullptr; }

 private:
  ledger* book_ = nullptr;
};

using value_or_error = result<counted_value>;

/// Both ends, as users have them.
struct both_ends {
  ledger book;
  promise<counted_value> in;
  future<counted_value> out = in.get_future();

  bool try_set(value_or_error outcome) { return in.try_set(std::move(outcome)); }
  bool wait(steady_time until) { return out.wait_until(until); }
  value_or_error take() { return out.get_result(); }
  void drop_promise() { promise<counted_value> dropped = std::move(in); }
  void drop_future() { future<counted_value> dropped = std::move(out); }
};

/// What the threads do with `Ends`.
template <typename Ends>
struct acts : Ends {
  using Ends::book;

  void set_value() { (this->try_set(counted_value(book)) ? book.set : book.refused)++; }
  void set_error() {
    const auto error = std::make_exception_ptr(std::runtime_error("failed"));
    (this->try_set(error) ? book.set : book.refused)++;
  }
  void read() {
    value_or_error got = this->take();
    try {
      const counted_value value = std::move(got).value();
      explore::check(value.is_there(), "an outcome is read that is not there");
      ++book.values;
    } catch (const broken_promise&) {
      ++book.broken;
    } catch (const std::runtime_error&) {
      ++book.errors;
    }
  }
  void get() {
    this->wait(no_deadline);
    read();
  }
  void get_for_or_drop() {
    if (this->wait(deadline_after(1s))) return read();
    this->drop_future();
  }
};

template <typename Ends, typename... Bodies>
explore::outcome all_orders_of(int preemptions_max, void (*check)(const ledger&), Bodies... bodies) {
  return explore::all_orders(
      [=](explore::execution& run) {
        reports = 0;
        auto shared = std::make_shared<Ends>();
        const auto start = [&](auto body) {
          run.thread([body, shared] {
            const detail::still_oracle first_of_those_that_are_ready;
            explored_task self;
            body(*shared);
          });
        };
        (start(bodies), ...);
        run.at_end([shared, check] {
          const ledger& book = shared->book;
          explore::check(book.made == book.ended, "a value did not end, or ended twice");
          check(book);
        });
      },
      {.preemptions_max = preemptions_max});
}

using ends = acts<both_ends>;

constexpr auto set_value = [](auto& here) {
  here.set_value();
  here.drop_promise();
};
constexpr auto set_error = [](auto& here) {
  here.set_error();
  here.drop_promise();
};
constexpr auto drop_promise = [](auto& here) { here.drop_promise(); };
constexpr auto get = [](auto& here) { here.get(); };
constexpr auto get_for_or_drop = [](auto& here) { here.get_for_or_drop(); };
constexpr auto drop_future = [](auto& here) { here.drop_future(); };

void is_read(const ledger& book) { explore::check(book.values == 1, "the value was not read once"); }
void any(const ledger&) {}
void is_read_or_reported(const ledger& book) {
  explore::check(book.errors + reports == 1, "an error was lost, or reported though somebody looked");
}

TEST(future, gets_the_value_once) { expect_complete(all_orders_of<ends>(4, is_read, set_value, get)); }

TEST(future, whose_bound_passes_leaves_the_value_to_end_once) {
  expect_complete(all_orders_of<ends>(3, any, set_value, get_for_or_drop));
  expect_complete(all_orders_of<ends>(
      3, is_read, set_value, [](ends& here) { here.wait(deadline_after(1s)) ? here.read() : here.get(); }));
}

TEST(future, that_is_dropped_while_the_value_comes_ends_it_once) {
  expect_complete(all_orders_of<ends>(4, any, set_value, drop_future), 20);
}

TEST(future, whose_error_nobody_looks_at_has_it_reported_once) {
  expect_complete(all_orders_of<ends>(4, is_read_or_reported, set_error, drop_future), 20);
  expect_complete(all_orders_of<ends>(4, is_read_or_reported, set_error, get_for_or_drop));
}

TEST(future, of_a_promise_that_is_dropped_says_so_and_reports_nothing) {
  expect_complete(all_orders_of<ends>(
      4, [](const ledger& book) { explore::check(book.broken == 1 && reports == 0, "not told once"); },
      drop_promise, get));
  expect_complete(all_orders_of<ends>(
                      4, [](const ledger&) { explore::check(reports == 0, "it is no error of any work"); },
                      drop_promise, drop_future),
                  20);
}

TEST(promise, is_set_once_by_one_of_those_who_try) {
  expect_complete(all_orders_of<ends>(
                      2,
                      [](const ledger& book) {
                        explore::check(book.set == 1 && book.refused == 1, "it was not set once");
                        is_read(book);
                      },
                      [](ends& here) { here.set_value(); }, [](ends& here) { here.set_value(); }, get),
                  1000);
}

TEST(promise, may_end_as_soon_as_the_outcome_was_got) {
  expect_complete(all_orders_of<ends>(
      4, is_read, [](ends& here) { here.set_value(); },
      [](ends& here) {
        here.get();
        here.drop_promise();
      }));
}

TEST(future, whose_reader_is_cancelled_stays_as_it_was) {
  struct with_scope : ends {
    std::optional<cancel_scope> scope;
    event made, cancelled;
  };
  expect_complete(all_orders_of<with_scope>(
                      2, is_read, set_value,
                      [](with_scope& here) {
                        here.scope.emplace();
                        here.made.set();
                        bool cut_short = false;
                        try {
                          here.get();
                        } catch (const weft::cancelled&) {
                          cut_short = true;
                        }
                        shield([&] { here.cancelled.wait(); });
                        here.scope.reset();
                        if (cut_short) here.get();
                      },
                      [](with_scope& here) {
                        here.made.wait();
                        here.scope->cancel();
                        here.cancelled.set();
                      }),
                  1000);
}

TEST(future, in_a_select_is_chosen_or_left_as_it_was) {
  class ready_case final : public detail::future_case {
   public:
    explicit ready_case(detail::future_core& core) : future_case(core) {}
  };
  struct core_and_ends {
    ledger book;
    detail::future_state<counted_value>* state = new detail::future_state<counted_value>;
    bool try_set(value_or_error outcome) { return state->set(std::move(outcome)); }
    bool wait(steady_time until) {
      ready_case ready(*state);
      detail::select_case* const cases[] = {&ready};
      return detail::select_among(cases, until).has_value();
    }
    value_or_error take() {
      value_or_error taken = state->take();
      state->release();
      return taken;
    }
    void drop_promise() { state->release(); }
    void drop_future() { state->release(); }
  };
  expect_complete(all_orders_of<acts<core_and_ends>>(3, any, set_value, get_for_or_drop));
  expect_complete(all_orders_of<acts<core_and_ends>>(3, is_read, set_value, get));
}

/// A callback in place of a reader.
struct called_ends {
  struct reader final : detail::future_callback {
    called_ends* of = nullptr;
    void source_ready() noexcept override {
      explore::point("call back");
      explore::check(of->state->is_ready(), "it is called before the outcome is there");
      if (of->state->take().has_value()) {
        ++of->book.values;
      } else {
        ++of->book.errors;
      }
      of->state->release();
    }
  };
  ledger book;
  detail::future_state<counted_value>* state = new detail::future_state<counted_value>;
  reader callback;

  bool try_set(value_or_error outcome) { return state->set(std::move(outcome)); }
  void drop_promise() { state->release(); }
  void attach() {
    callback.of = this;
    state->call_when_ready(callback);
  }
  void cancel() {
    state->retain();
    state->cancel(cancel_reason::requested);
    state->release();
  }
};

TEST(future, calls_back_once_whoever_comes_first) {
  using called = acts<called_ends>;
  const auto attach = [](called& here) { here.attach(); };
  expect_complete(all_orders_of<called>(4, is_read, set_value, attach), 20);
}

TEST(future, that_is_cancelled_while_it_is_set_has_one_outcome_for_its_callback) {
  using called = acts<called_ends>;
  expect_complete(all_orders_of<called>(
                      3,
                      [](const ledger& book) {
                        explore::check(book.values + book.errors == 1, "not called once");
                        explore::check(book.values == book.set, "a value that was taken is lost");
                      },
                      set_value,
                      [](called& here) {
                        here.cancel();
                        here.attach();
                      }),
                  20);
}

// Its parts, with a step in the wrong place.

/// As future_core, all of it as it should be; told of each use, and when it is gone.
class changed_core {
 public:
  ledger book;

  bool try_set(value_or_error outcome) {
    if (!claim()) return false;
    write(std::move(outcome));
    publish();
    return true;
  }
  bool wait(steady_time until) {
    std::unique_lock lock(lock_);
    if (ready_.load()) return true;
    return wait_in_line(lock, until);
  }
  value_or_error take() {
    explore::check(outcome_.has_value(), "an outcome is read that is not there");
    value_or_error taken = std::move(*outcome_);
    release();
    return taken;
  }
  void drop_promise() {
    if (claim()) {
      write(std::make_exception_ptr(broken_promise("dropped")));
      publish();
    }
    release();
  }
  void drop_future() { release(); }

 protected:
  virtual ~changed_core() = default;
  virtual bool claim() { return !claimed_.exchange(true); }
  virtual void publish() {
    const std::lock_guard lock(lock_);
    ready_.store(true);
    waiters_.serve_all();
    alive();
  }
  virtual void release() {
    alive();
    if (references_.fetch_sub(1) == 1) end();
  }
  void alive() const { explore::check(!book.gone, "it is used after its last reference"); }
  void end() {
    alive();
    book.gone = true;
    outcome_.reset();
  }
  void write(value_or_error outcome) {
    alive();
    explore::check(!outcome_.has_value(), "it is set twice");
    outcome_.emplace(std::move(outcome));
  }
  bool wait_in_line(std::unique_lock<detail::spin_lock>& lock, steady_time until) {
    return detail::wait_in(waiters_, self_.emplace(), lock, until, "get") == detail::wait_outcome::served;
  }

  detail::atomic<int> references_{2};
  detail::atomic<bool> claimed_{false}, ready_{false};
  detail::spin_lock lock_;
  detail::waiter_line waiters_;
  std::optional<detail::waiter> self_;  // not on the stack: some touch it afterwards
  std::optional<value_or_error> outcome_;
};

void is_gone(const ledger& book) { explore::check(book.gone, "the last reference did not go"); }

template <typename Core>
explore::outcome set_and_get() {
  return all_orders_of<acts<Core>>(2, is_gone, set_value, get);
}

TEST(future, written_anew_for_the_variants_is_right) {
  struct core : changed_core {};
  expect_complete(set_and_get<core>());
  expect_complete(all_orders_of<acts<core>>(3, is_gone, set_value, get_for_or_drop));
}

TEST(future, that_is_ready_before_the_outcome_is_written_is_found_to_be_read_too_early) {
  struct core : changed_core {
    bool try_set(value_or_error outcome) {
      if (!claim()) return false;
      publish();
      write(std::move(outcome));
      return true;
    }
  };
  expect_found(set_and_get<core>(), "an outcome is read that is not there");
}

TEST(future, that_is_claimed_in_two_steps_is_found_to_be_set_twice) {
  struct core : changed_core {
    bool claim() override {
      if (claimed_.load()) return false;
      claimed_.store(true);
      return true;
    }
  };
  const auto try_set = [](auto& here) { here.set_value(); };
  expect_found(all_orders_of<acts<core>>(2, any, try_set, try_set, get), "it is set twice");
}

TEST(future, that_is_marked_ready_without_the_lock_is_found_to_forget_its_reader) {
  struct core : changed_core {
    void publish() override {
      {
        const std::lock_guard lock(lock_);
        waiters_.serve_all();
      }
      ready_.store(true);
    }
  };
  expect_found(set_and_get<core>(), "deadlock");
}

TEST(future, whose_reader_does_not_look_under_the_lock_is_found_to_forget_him) {
  struct core : changed_core {
    bool wait(steady_time until) {
      if (ready_.load()) return true;
      std::unique_lock lock(lock_);
      return wait_in_line(lock, until);
    }
  };
  expect_found(set_and_get<core>(), "deadlock");
}

TEST(future, that_counts_references_in_two_steps_is_found_not_to_end) {
  struct core : changed_core {
    void release() override {
      const int left = references_.load() - 1;
      references_.store(left);
      if (left == 0) end();
    }
  };
  expect_found(set_and_get<core>(), "the last reference did not go");
}

TEST(future, whose_promise_has_let_go_before_it_is_through_is_found_to_be_gone_under_it) {
  struct core : changed_core {
    void publish() override {
      references_.fetch_sub(1);
      changed_core::publish();
      references_.fetch_add(1);
    }
  };
  expect_found(set_and_get<core>(), "it is used after its last reference");
}

TEST(promise, whose_outcome_is_got_without_a_look_at_the_lock_is_found_to_end_under_its_setter) {
  struct core : changed_core {
    bool wait(steady_time until) { return ready_.load() || changed_core::wait(until); }
  };
  const auto set_only = [](auto& here) { here.set_value(); };
  const auto get_and_end = [](auto& here) {
    here.get();
    here.drop_promise();
  };
  expect_found(all_orders_of<acts<core>>(2, is_gone, set_only, get_and_end),
               "it is used after its last reference");
}

}  // namespace
}  // namespace weft
