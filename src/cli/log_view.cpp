#include "cli/log_view.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>
#include <weft/logbook/defer.hpp>

#include "cli/exit_status.hpp"
#include "cli/log_filter.hpp"
#include "cli/log_input.hpp"

namespace weft::inline v1::cli {

namespace {

using wire::json_value;

class viewer {
 public:
  explicit viewer(const log_view_options& options) : options_(options) {
    for (const auto& one : options.where) where_.emplace_back(one);
  }

  int run() {
    const auto reader = [this](const input_line& line) { return take(line); };
    if (options_.follow) {
      guarded([&] { follow_lines(options_.files, reader); });
    } else {
      const std::vector<std::string> standard_input{"-"};
      for (const auto& one : options_.files.empty() ? standard_input : options_.files) {
        guarded([&] { read_lines(one, reader); });
      }
    }
    finish();
    return failed_ ? exit_failed : exit_ok;
  }

 private:
  // What cannot be read is said, and the rest is shown.
  template <typename Work>
  void guarded(Work work) {
    try {
      work();
    } catch (const error& wrong) {
      failed_ = true;
      std::fprintf(stderr, "weft log view: %s\n", log::escaped(wrong.message()).c_str());
    }
  }

  bool take(const input_line& line) {
    if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) return true;
    if (!options_.grep.empty() && line.text.find(options_.grep) == std::string_view::npos) return true;
    try {
      const auto json = wire::parse_json(line.text);
      auto log = logbook::from_json(json);
      if (!log) throw error(errc::malformed, "it is no object with a start");
      if (std::all_of(where_.begin(), where_.end(), [&](const condition& one) { return one.holds(json); })) {
        use(json, std::move(*log));
      }
    } catch (const error& wrong) {
      failed_ = true;
      std::fprintf(stderr, "weft log view: %s:%zu is no log: %s\n", log::escaped(line.file).c_str(),
                   line.number, log::escaped(wrong.message()).c_str());
    }
    return std::ferror(stdout) == 0;  // nobody reads any more
  }

  void use(const json_value& json, log::collection log) {
    if (!options_.count.empty()) {
      const auto* const value = value_at(json, options_.count);
      ++counts_[value == nullptr ? std::string("(none)") : plain_text(*value)];
    } else if (!options_.sum.empty()) {
      add(value_at(json, options_.sum));
    } else if (!options_.map.empty()) {
      if (const auto* const value = value_at(json, options_.map)) {
        print(log::escaped(plain_text(*value)) + '\n');
      }
    } else if (options_.sort) {
      kept_.push_back(std::move(log));
    } else {
      show(log);
    }
  }

  void add(const json_value* value) {
    if (value == nullptr) return;
    const auto* const number = value->if_number();
    const auto* const integer = value->if_integer();
    if (number == nullptr && integer == nullptr) return;
    const double more = number != nullptr ? *number : static_cast<double>(*integer);
    least_ = numbers_ == 0 ? more : std::min(least_, more);
    most_ = numbers_ == 0 ? more : std::max(most_, more);
    sum_ += more;
    ++numbers_;
  }

  void finish() {
    std::stable_sort(
        kept_.begin(), kept_.end(),
        [](const log::collection& one, const log::collection& other) { return one.start < other.start; });
    for (const auto& one : kept_) show(one);
    if (!options_.sum.empty()) print_sum();
    print_counts();
  }

  void print_sum() const {
    const double mean = numbers_ == 0 ? 0 : sum_ / static_cast<double>(numbers_);
    char text[256];
    std::snprintf(text, sizeof text, "count %zu, sum %.9g, mean %.9g, least %.9g, most %.9g\n", numbers_,
                  sum_, mean, least_, most_);
    print(text);
  }

  // The most frequent first.
  void print_counts() const {
    std::vector<std::pair<std::string, std::size_t>> all(counts_.begin(), counts_.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& one, const auto& other) { return one.second > other.second; });
    for (const auto& [value, count] : all) {
      const auto number = std::to_string(count);
      print(std::string(number.size() < 8 ? 8 - number.size() : 0, ' ') + number + ' ' + log::escaped(value) +
            '\n');
    }
  }

  void show(const log::collection& one) const {
    print(log_text(one, options_.style, std::chrono::floor<std::chrono::microseconds>(wall_clock::now())));
  }

  void print(const std::string& text) const {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (options_.follow) std::fflush(stdout);
  }

  const log_view_options& options_;
  std::vector<condition> where_;
  std::vector<log::collection> kept_;  // to be sorted
  std::map<std::string, std::size_t> counts_;
  std::size_t numbers_ = 0;
  double sum_ = 0;
  double least_ = 0;
  double most_ = 0;
  bool failed_ = false;
};

}  // namespace

int run_log_view(const log_view_options& options) {
  std::optional<viewer> made;
  try {
    made.emplace(options);
  } catch (const error& wrong) {
    std::fprintf(stderr, "weft log view: %s\n", log::escaped(wrong.message()).c_str());
    return exit_usage;
  }
  const int status = made->run();
  return std::fflush(stdout) == 0 ? status : exit_failed;
}

}  // namespace weft::inline v1::cli
