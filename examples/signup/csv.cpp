#include "csv.hpp"

#include <algorithm>

#include <weft/core/error.hpp>

namespace signup {
namespace {

class csv_reader {
 public:
  explicit csv_reader(std::string_view text) : left_(text) {}

  bool at_end() const { return left_.empty(); }

  csv_record next() {
    csv_record record{line_, {}};
    do record.fields.push_back(at_quote() ? quoted_field() : plain_field());
    while (take(','));
    take('\r');
    end_line();
    return record;
  }

 private:
  bool at_quote() const { return !left_.empty() && left_.front() == '"'; }

  bool take(char expected) {
    if (left_.empty() || left_.front() != expected) return false;
    left_.remove_prefix(1);
    return true;
  }

  void end_line() {
    if (at_end()) return;
    if (!take('\n')) complain("text follows a closing quote");
    ++line_;
  }

  std::string plain_field() {
    const std::size_t length = std::min(left_.find_first_of(",\r\n"), left_.size());
    std::string field(left_.substr(0, length));
    left_.remove_prefix(length);
    return field;
  }

  std::string quoted_field() {
    std::string field;
    take('"');
    for (;;) {
      const std::size_t length = left_.find('"');
      if (length == left_.npos) complain("a quote is not closed");
      for (const char c : left_.substr(0, length)) line_ += c == '\n' ? 1 : 0;
      field += left_.substr(0, length);
      left_.remove_prefix(length + 1);
      if (!take('"')) return field;
      field += '"';
    }
  }

  [[noreturn]] void complain(const char* why) const {
    throw weft::error(weft::errc::malformed, "CSV line " + std::to_string(line_) + ": " + why);
  }

  std::string_view left_;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<csv_record> read_csv(std::string_view text) {
  std::vector<csv_record> records;
  csv_reader reader(text);
  while (!reader.at_end()) records.push_back(reader.next());
  return records;
}

}  // namespace signup
