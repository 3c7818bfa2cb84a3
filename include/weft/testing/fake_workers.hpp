#pragma once

#include <csignal>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/codec/codec.hpp>
#include <weft/core/clock.hpp>
#include <weft/workers/client_options.hpp>
#include <weft/workers/interfaces.hpp>

namespace weft::inline v1::testing {

namespace detail {

class fake_pool;

/// What a scripted call ends with.
struct scripted_reply {
  enum class kind : unsigned char { runs, answers, throws, crashes, exits, times_out, hangs };
  kind what = kind::runs;
  std::function<void(encoder&)> answer = {};
  std::exception_ptr error = {};
  int number = 0;  ///< the signal, or the status
  std::string last_words = {};
};

}  // namespace detail

/// The replies to the next calls of one function, in the order in which they are added here. Behind the last
/// one the function runs again.
///
///     workers.on("thumbnail").crashes().times_out().runs();
///
/// Thread-safe. Lives as long as its fake_workers.
class worker_script {
 public:
  /// The function runs.
  worker_script& runs() { return add({.what = reply::kind::runs}); }
  /// The call gives `value` without running the function, which the workers need not have.
  template <encodable Value>
  worker_script& answers(Value value) {
    return add({.what = reply::kind::answers,
                .answer = [value = std::move(value)](encoder& out) { weft::encode(out, value); }});
  }
  /// The function throws that: the caller gets it as from another process, as its registered type or as a
  /// remote_error.
  template <typename Error>
  worker_script& throws(Error error) {
    return add({.what = reply::kind::throws, .error = std::make_exception_ptr(std::move(error))});
  }
  /// The worker dies under the call: worker_died.
  worker_script& crashes(int signal = SIGSEGV, std::string last_words = {}) {
    return add({.what = reply::kind::crashes, .number = signal, .last_words = std::move(last_words)});
  }
  /// The function asks to exit: worker_exited.
  worker_script& exits(int status) { return add({.what = reply::kind::exits, .number = status}); }
  /// The time of the call is over, now: call_timed_out.
  worker_script& times_out() { return add({.what = reply::kind::times_out}); }
  /// The function waits until the time of the call is over, or the call is cancelled.
  worker_script& hangs() { return add({.what = reply::kind::hangs}); }
  /// The last reply so far is that of all further calls, too.
  worker_script& for_ever();

 private:
  friend class fake_workers;
  using reply = detail::scripted_reply;
  worker_script(detail::fake_pool& of, std::string name) : of_(&of), name_(std::move(name)) {}
  worker_script& add(reply one);

  detail::fake_pool* of_;
  std::string name_;
};

/// Worker processes that are none: the functions of the interface, and closures, run in the calling process,
/// on the caller's task, and a test says which calls crash, throw, hang or take too long. For tests of code
/// that calls workers; it need not know:
///
///     weft::testing::fake_workers fake(&offer);          // as for weft::main
///     weft::workers::client pool(fake.options());
///     fake.on("thumbnail").crashes();
///     EXPECT_EQ(gallery(pool).add("cat.png"), "no preview");
///     EXPECT_EQ(fake.count("thumbnail"), 1U);
///
/// As with processes: arguments, results and errors are written down and read again; the function has only
/// what of the caller's context may travel, services per call, and its caller& with streams and progress; the
/// pool's line, bounds, statistics and the rule that a checkout keeps one worker are the real ones; after a
/// death every further call of the checkout throws the same. Unlike: there is one set of singletons for all
/// workers, nothing is killed, so that a function that neither waits nor returns is not ended, a crash of the
/// function is one of the test, and limits and hooks of processes mean nothing. In a test whose time jumps it
/// works as well.
///
/// Thread-safe. Lifetime: outlives its clients.
class fake_workers {
 public:
  using offer = std::function<void(services&, workers::interfaces&)>;

  /// Workers that offer what `setup`, the first function of weft::main, registers. None: they run closures,
  /// and what is scripted.
  explicit fake_workers(const offer& setup = {});
  fake_workers(const fake_workers&) = delete;
  fake_workers& operator=(const fake_workers&) = delete;
  ~fake_workers();

  /// For workers::client: those of the program, with these workers in the place of processes, of which none
  /// is started in advance.
  workers::client_options options(workers::client_options of_program = {}) const;

  /// What is said of the calls of that function of the interface, or of the closure of that name.
  worker_script& on(std::string_view name);
  template <typename Result>
  worker_script& on(const closure<Result>& what) {
    return on(name_in(what.identity().text()));
  }
  /// The next so many workers cannot be started: start_failed.
  void fail_starts(std::size_t count);

  /// A call that was begun.
  struct seen_call {
    std::string name;       ///< as for on()
    std::string arguments;  ///< a JSON list, secrets in clear
    bool operator==(const seen_call&) const = default;
  };
  /// All so far, in order.
  std::vector<seen_call> calls() const;
  /// Those of that function.
  std::size_t count(std::string_view name) const;

  /// That of the workers.
  services& app() noexcept;

 private:
  static std::string_view name_in(std::string_view identity);

  std::shared_ptr<detail::fake_pool> pool_;
};

}  // namespace weft::inline v1::testing
