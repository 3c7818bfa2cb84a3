#include "cli/top.hpp"

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

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
  const jobs::moment now = of.clock().now();
  top_look look{.time = jobs::time_text(now),
                .queues = std::move(stats.queues),
                .workers = std::move(stats.workers),
                .running = {}};
  look.time.resize(look.time.find('.'));
  jobs::list_filter filter;
  filter.state = jobs::job_state::running;
  filter.limit = running_shown;
  for (auto& one : of.list(filter))
    look.running.push_back(jobs::view_of(jobs::describe(std::move(one)), now));
  return look;
}

/// Something that the view has to see to: a key (signals are `quit` and `resized`), or how a look went.
struct happening {
  char key = resized;
  std::optional<top_look> look = {};
  std::exception_ptr failed = {};
  bool is_look() const noexcept { return look || failed; }
};

happening look_or_failure(jobs::store& of) {
  happening made;
  try {
    made.look = look_at(of);
  } catch (const error&) {
    made.failed = std::current_exception();
  }
  return made;
}

class top {
 public:
  top(const top_options& options, std::string shown_as)
      : options_(options),
        store_(open_existing(options.store)),
        is_screen_(!options.as_json && full_screen::is_possible()) {
    view_.database = std::move(shown_as);
  }

  int run() {
    view_.now = look_at(*store_);  // what is wrong at first ends it
    looked_ = steady_clock::now();
    std::optional<full_screen> screen;
    if (is_screen_) screen.emplace();
    process::signal_watch signals{SIGINT, SIGTERM, SIGWINCH};
    scope tasks;
    listen(tasks, signals);
    const std::size_t looks = options_.count > 0 || is_screen_ || options_.as_json ? options_.count : 1;
    for (std::size_t seen = 1; show(screen) && seen != looks && next_look(screen); ++seen) {
    }
    if (is_looking_) {
      // No orderly end: the fiber that looks waits until the store has answered, cancelled or not, as the
      // store's thread works on a request that lies on its stack. Over a connection that has fallen silent
      // that is a minute, until the kernel gives it up (tcp_user_timeout); at a disk that hangs there is no
      // bound. Nothing is lost: it only reads, the terminal is given back, and what was printed is flushed.
      screen.reset();
      std::fflush(stdout);
      std::_Exit(exit_ok);
    }
    return exit_ok;  // the scope gives its fibers up
  }

 private:
  using steady_clock = std::chrono::steady_clock;

  void listen(scope& tasks, process::signal_watch& signals) {
    tasks.go([this, &signals] {
      for (;;) happenings_.push({.key = signals.wait() == SIGWINCH ? resized : quit});
    });
    tasks.go([this] {
      for (; asked_.pop();) happenings_.push(look_or_failure(*store_));
    });
    if (!is_screen_) return;
    tasks.go([this] {
      for (char key = resized; key != quit;) {
        wait_readable(STDIN_FILENO);
        if (::read(STDIN_FILENO, &key, 1) != 1) key = quit;  // the terminal is gone
        happenings_.push({.key = key});
      }
    });
  }

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

  /// Waits until it is time, and for the look. False: somebody ends it.
  bool next_look(const std::optional<full_screen>& screen) {
    const auto next = deadline_after(options_.interval);
    for (;;) {
      auto seen = happenings_.pop_until(is_looking_ || view_.is_held ? no_deadline : next);
      if (!seen) {
        asked_.push(true);
        is_looking_ = true;
      } else if (seen->is_look()) {
        is_looking_ = false;
        take(*seen);
        return true;
      } else if (!obey(seen->key) || (screen && !show(screen))) {
        return false;
      }
    }
  }

  bool obey(char key) {
    if (key == ' ') view_.is_held = !view_.is_held;
    if (key == 's') view_.order = static_cast<top_order>((static_cast<int>(view_.order) + 1) % 4);
    return key != quit && key != interrupt;
  }

  void take(happening& seen) {
    if (seen.failed) {
      if (!is_screen_) std::rethrow_exception(seen.failed);
      try {
        std::rethrow_exception(seen.failed);
      } catch (const error& failed) {
        view_.problem = failed.message();
      }
      return;
    }
    const auto now = steady_clock::now();
    view_.between = now - looked_;
    view_.before = std::exchange(view_.now, std::move(*seen.look));
    view_.problem.clear();
    looked_ = now;
  }

  const top_options options_;
  const std::shared_ptr<jobs::store> store_;
  const bool is_screen_;
  top_view view_;
  steady_clock::time_point looked_{};
  channel<bool> asked_{1};
  channel<happening> happenings_{16};
  bool is_looking_ = false;
};

}  // namespace

int run_top(const top_options& options) {
  return guarded("weft top", [&] {
    auto shown_as = jobs::look_at_database(options.store).path;
    return weft::run([&] { return top(options, std::move(shown_as)).run(); });
  });
}

}  // namespace weft::inline v1::cli
