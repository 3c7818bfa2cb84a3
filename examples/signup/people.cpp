#include "people.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>

#include <weft/core/error.hpp>

#include "csv.hpp"

namespace signup {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t email_bytes_max = 254;
constexpr std::size_t password_bytes_min = 8;
constexpr std::size_t password_bytes_max = 200;
constexpr std::size_t rows_per_task = 50;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw weft::system_error("read the list of people, " + path, errno);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_email(const std::string& text) {
  const auto at = text.find('@');
  return at != 0 && at != text.npos && text.find('@', at + 1) == text.npos &&
         text.find('.', at) != text.npos &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

listed_person check(const csv_record& record) {
  constexpr std::size_t columns = 3;
  if (record.fields.size() != columns) {
    return {record.line, std::nullopt,
            std::to_string(record.fields.size()) + " columns where " + std::to_string(columns) + " belong"};
  }
  return {record.line, person{record.fields[0], record.fields[1], record.fields[2]}, {}};
}

std::vector<listed_person> check_all(std::span<const csv_record> records) {
  std::vector<listed_person> checked;
  for (const auto& record : records) checked.push_back(check(record));
  return checked;
}

}  // namespace

std::optional<std::string> complaint_about(const person& who) {
  if (who.name.empty()) return "name: it is empty";
  if (who.name.size() > name_bytes_max) return "name: it is longer than 200 bytes";
  if (who.email.size() > email_bytes_max) return "email: it is longer than 254 bytes";
  if (!is_email(who.email)) return "email: it is no address";
  if (who.password.empty()) return "password: it is empty";
  if (who.password.size() < password_bytes_min) return "password: it is shorter than 8 bytes";
  if (who.password.size() > password_bytes_max) return "password: it is longer than 200 bytes";
  return std::nullopt;
}

std::vector<listed_person> load_people(const std::string& path, weft::thread_pool& pool) {
  const std::string text = pool.submit([&path] { return read_file(path); }).get();
  const auto records = pool.submit([&text] { return read_csv(text); }).get();
  const std::span<const csv_record> rows = std::span(records).subspan(records.empty() ? 0 : 1);
  std::vector<weft::future<std::vector<listed_person>>> parts;
  for (std::size_t first = 0; first < rows.size(); first += rows_per_task) {
    const auto part = rows.subspan(first, std::min(rows_per_task, rows.size() - first));
    parts.push_back(pool.submit([part] { return check_all(part); }));
  }
  std::vector<listed_person> people;
  for (auto& part : parts) {
    auto checked = part.get();
    std::move(checked.begin(), checked.end(), std::back_inserter(people));
  }
  return people;
}

}  // namespace signup
