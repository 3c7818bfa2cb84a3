#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::inline v1::jobs::detail {

/// What a field of a cron expression may have in it.
struct cron_field_kind {
  const char* name;
  int least;
  int most;                                      ///< of a day of the week 7, which is Sunday too
  std::span<const std::string_view> names = {};  ///< the first one means `least`
  bool is_day_of_month = false;
  bool is_day_of_week = false;
};

/// A field as it was written.
struct cron_field {
  std::uint64_t values = 0;              ///< bit n: n
  bool any = false;                      ///< it begins with * or ?
  std::uint32_t before_last = 0;         ///< days of a month, counted from its last one
  std::uint8_t last_of_week = 0;         ///< as in cron_days
  std::array<std::uint8_t, 5> nth = {};  ///< as in cron_days
};

/// Reads one field of an expression.
class cron_field_reader {
 public:
  /// The `number`-th field of `expression` is from `begin` to `end`, and not empty.
  cron_field_reader(std::string_view expression, std::size_t begin, std::size_t end, int number,
                    const cron_field_kind& kind) noexcept
      : expression_(expression),
        field_(expression.substr(0, end)),
        begin_(begin),
        at_(begin),
        number_(number),
        kind_(kind) {}

  /// Throws weft::error (invalid_argument) that says where and why.
  cron_field read();

 private:
  struct range {
    int from;
    int to;
    bool is_one;  // value
  };
  void read_item();
  void read_day_before_last();
  void read_range();
  bool read_special_weekday(int day);
  void read_step(std::size_t start, range over);
  void add(range over, int step) noexcept;
  int read_value(bool ends_range);
  int read_name(bool ends_range);
  int read_number(int least, int most, const char* what);

  bool is_over() const noexcept { return at_ == field_.size(); }
  char here() const noexcept { return is_over() ? '\0' : field_[at_]; }
  bool take(char wanted) noexcept;
  bool take_letter(char wanted) noexcept;
  std::string names_text() const;
  [[noreturn]] void refuse(std::size_t at, const std::string& why) const;
  [[noreturn]] void refuse_here(const std::string& wanted) const;

  std::string_view expression_;
  std::string_view field_;  // all up to the field's end
  std::size_t begin_;
  std::size_t at_;
  int number_;
  const cron_field_kind& kind_;
  cron_field read_;
};

/// `cron "..."` with nothing in it that a terminal would obey.
std::string cron_text(std::string_view expression);
/// Throws the error of an expression: `cron "...": day of week (field 5), at character 9: why`.
[[noreturn]] void refuse_cron(std::string_view expression, const char* field, int number, std::size_t at,
                              const std::string& why);

}  // namespace weft::inline v1::jobs::detail
