#include "cli/top.hpp"

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/clock.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/process/signals.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/full_screen.hpp"
#include "cli/jobs_store.hpp"
#include "cli/top_screen.hpp"

namespace weft::inline v1::cli {
namespace {

constexpr std::size_t running_shown = 50;
constexpr char quit = 'q';
constexpr char resized = '\0';
constexpr char interrupt = '\x03';  // Ctrl-C, as a terminal sends it to who wants all keys

top_look look_at(jobs::store& of) {
  auto stats = jobs::stats_of(of);
  top_look look{.time = jobs::time_text(jobs::clock::system().now()),
                .queues = std::move(stats.queues),
                .workers = std::move(stats.workers),
                .running = {}};
  look.time.resize(look.time.find('.'));
  jobs::list_filter filter;
  filter.state = jobs::job_state::running;
  filter.limit = running_shown;
  for (auto& one : of.list(filter)) look.running.push_back(jobs::view_of(jobs::describe(std::move(one))));
  return look;
}

/// What somebody does: keys as they are, signals as `quit` and `resized`.
class what_is_done {
 public:
  explicit what_is_done(bool with_keys) : with_keys_(with_keys) {}

  void read_into(scope& tasks, channel<char>& keys) {
    tasks.go([this, &keys] {
      for (;;) keys.push(signals_.wait() == SIGWINCH ? resized : quit);
    });
    if (!with_keys_) return;
    tasks.go([&keys] {
      for (;;) {
        wait_readable(STDIN_FILENO);
        char key = quit;  // also where the terminal is gone
        if (::read(STDIN_FILENO, &key, 1) != 1) key = quit;
        keys.push(key);
        if (key == quit) return;
      }
    });
  }

 private:
  const bool with_keys_;
  process::signal_watch signals_{SIGINT, SIGTERM, SIGWINCH};
};

class top {
 public:
  top(const top_options& options, std::string shown_as)
      : options_(options),
        store_(open_existing(options.store)),
        is_screen_(!options.as_json && full_screen::is_possible()) {
    view_.database = std::move(shown_as);
  }

  int run() {
    std::optional<full_screen> screen;
    view_.now = look_at(*store_);  // what is wrong at first ends it
    asked_ = steady_clock_now();
    if (is_screen_) screen.emplace();
    what_is_done done(is_screen_);
    channel<char> keys{16};
    scope tasks;
    done.read_into(tasks, keys);
    const std::size_t looks = options_.count > 0 || is_screen_ || options_.as_json ? options_.count : 1;
    for (std::size_t seen = 1;; ++seen) {
      if (!show(screen)) break;
      if (seen == looks || !wait(keys, screen)) break;
      look_again();
    }
    return exit_ok;  // the scope gives its fibers up
  }

 private:
  static std::chrono::steady_clock::time_point steady_clock_now() { return std::chrono::steady_clock::now(); }

  bool show(const std::optional<full_screen>& screen) const {
    if (screen) {
      const auto [columns, lines] = screen->size();
      return screen->show(top_screen(view_, columns, lines));
    }
    const std::string text =
        options_.as_json ? wire::to_json(view_.now) + '\n' : top_screen(view_, 1000, 1000);
    std::fputs(text.c_str(), stdout);
    return std::fflush(stdout) == 0;
  }

  /// Until the next look; false: no further one.
  bool wait(channel<char>& keys, const std::optional<full_screen>& screen) {
    const auto next = deadline_after(options_.interval);
    for (;;) {
      auto key = keys.pop_until(view_.is_held ? no_deadline : next);
      if (!key) return true;
      switch (*key) {
        case quit:
        case interrupt:
          return false;
        case ' ':
          view_.is_held = !view_.is_held;
          break;
        case 's':
          view_.order = static_cast<top_order>((static_cast<int>(view_.order) + 1) % 4);
          break;
        default:
          break;
      }
      if (!show(screen)) return false;
    }
  }

  void look_again() {
    try {
      top_look now = look_at(*store_);
      const auto asked = steady_clock_now();
      view_.between = asked - asked_;
      view_.before = std::exchange(view_.now, std::move(now));
      view_.problem.clear();
      asked_ = asked;
    } catch (const error& failed) {
      if (!is_screen_) throw;
      view_.problem = failed.message();
    }
  }

  const top_options options_;
  const std::shared_ptr<jobs::store> store_;
  const bool is_screen_;
  top_view view_;
  std::chrono::steady_clock::time_point asked_{};
};

}  // namespace

int run_top(const top_options& options) {
  return guarded("weft top", [&] {
    auto shown_as = jobs::look_at_database(options.store).path;
    return weft::run([&] { return top(options, std::move(shown_as)).run(); });
  });
}

}  // namespace weft::inline v1::cli
