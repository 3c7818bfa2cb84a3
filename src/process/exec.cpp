#include <weft/process/exec.hpp>

#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/fiber/wait_set.hpp>

namespace weft::inline v1 {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

/// What comes out of one pipe of the program.
struct collected {
  process::pipe_reader& pipe;
  std::string& text;
  bool& truncated;
  const char* name;
};

/// One program from its start to its end.
class session {
 public:
  session(std::vector<std::string> arguments, exec_options& options)
      : options_(options),
        until_(deadline_after(options.timeout)),
        unwritten_(options.input),
        program_(std::move(arguments), std::move(options.program)) {}

  exec_result run() {
    try {
      watch();
      serve_until_end();
    } catch (...) {
      if (options_.until_given_up != nullptr) *options_.until_given_up = printed_so_far();
      program_.terminate();
      throw;
    }
    take_all_rest();
    result_.status = program_.wait();
    return std::move(result_);
  }

 private:
  exec_result printed_so_far() {
    if (options_.truncate_output) take_all_rest();  // else there may be too much
    return result_;
  }

  void take_all_rest() {
    take_rest(out_);
    take_rest(err_);
    drop_front(out_, options_.output_bytes_max);
    drop_front(err_, options_.output_bytes_max);
  }

  void watch() {
    set_.add(program_.pidfd(), io_events::readable);
    if (program_.in().fd() >= 0) set_.add(program_.in().fd(), io_events::writable);
    if (program_.out().fd() >= 0) set_.add(program_.out().fd(), io_events::readable);
    if (program_.err().fd() >= 0) set_.add(program_.err().fd(), io_events::readable);
  }

  void serve_until_end() {
    for (bool ended = false; !ended;) {
      const auto ready = set_.wait_until(until_);
      if (ready.empty()) throw_timed_out();
      for (const watched_fd& one : ready) {
        if (one.fd == program_.pidfd()) {
          ended = true;
        } else if (one.fd == program_.in().fd()) {
          feed();
        } else {
          take(one.fd == program_.out().fd() ? out_ : err_, piece_.size());
        }
      }
    }
  }

  void feed() {
    const long count = unwritten_.empty() ? 0 : process::write_without_signal(program_.in().fd(), unwritten_);
    if (count > 0) unwritten_.remove_prefix(static_cast<std::size_t>(count));
    const bool stopped_reading = count < 0 && errno != EAGAIN && errno != EINTR;
    if (!unwritten_.empty() && !stopped_reading) return;
    set_.remove(program_.in().fd());
    program_.in().close();
  }

  /// Reads once; gives the number of bytes.
  std::size_t take(const collected& from, std::size_t bytes_max) {
    const ssize_t count = ::read(from.pipe.fd(), piece_.data(), std::min(bytes_max, piece_.size()));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count <= 0) {
      set_.remove(from.pipe.fd());
      from.pipe.close();
      return 0;
    }
    const auto bytes = static_cast<std::size_t>(count);
    keep(from, {piece_.data(), bytes});
    return bytes;
  }

  void keep(const collected& from, std::string_view piece) {
    if (options_.truncate_output && options_.keep_end) {
      from.text.append(piece);
      // Not at each piece, or each would move all that is kept.
      if (from.text.size() / 2 > options_.output_bytes_max) drop_front(from, options_.output_bytes_max);
      return;
    }
    const std::size_t room = options_.output_bytes_max - from.text.size();
    from.text.append(piece.substr(0, room));
    if (piece.size() <= room) return;
    if (!options_.truncate_output) throw_too_much(from);
    from.truncated = true;
  }

  static void drop_front(const collected& from, std::size_t bytes_max) {
    if (from.text.size() <= bytes_max) return;
    from.text.erase(0, from.text.size() - bytes_max);
    from.truncated = true;
  }

  /// The program has ended: all it wrote is in the pipe. Somebody else may go on writing.
  void take_rest(const collected& from) {
    int left = 0;
    if (from.pipe.fd() < 0 || ::ioctl(from.pipe.fd(), FIONREAD, &left) != 0) return;
    while (left > 0) {
      const std::size_t count = take(from, static_cast<std::size_t>(left));
      if (count == 0) return;
      left -= static_cast<int>(count);
    }
  }

  [[noreturn]] void throw_timed_out() const {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(options_.timeout).count();
    throw error(errc::timed_out, "exec \"" + program_.text() + "\": it still ran after " +
                                     std::to_string(ms) +
                                     " ms, which is exec_options::timeout; it was ended");
  }

  [[noreturn]] void throw_too_much(const collected& from) const {
    throw error(errc::too_large,
                "exec \"" + program_.text() + "\": " + from.name + " has more than " +
                    std::to_string(options_.output_bytes_max) +
                    " bytes, which is exec_options::output_bytes_max; it was ended; raise the "
                    "bound, set truncate_output, or read a process::program as it prints");
  }

  exec_options& options_;
  const steady_time until_;
  std::string_view unwritten_;
  process::program program_;
  wait_set set_;
  exec_result result_;
  collected out_{program_.out(), result_.out, result_.out_truncated, "stdout"};
  collected err_{program_.err(), result_.err, result_.err_truncated, "stderr"};
  std::vector<char> piece_ = std::vector<char>(piece_bytes);
};

}  // namespace

exec_result exec(std::vector<std::string> arguments, exec_options options) {
  if (!options.input.empty()) {
    if (options.program.in.how() != process::stream_target::kind::null) {
      throw error(errc::invalid_argument,
                  "exec: there is an input, and stdin is to lead elsewhere; leave one of them out");
    }
    options.program.in = process::stream_target::pipe();
  }
  return session(std::move(arguments), options).run();
}

}  // namespace weft::inline v1
