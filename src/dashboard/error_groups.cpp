#include "dashboard/error_groups.hpp"
#include "core/hex.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <weft/jobs/search.hpp>
#include <weft/jobs/view.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::dashboard {

namespace {

using jobs::job_state;

constexpr std::size_t page_of_a_state = 50;
constexpr std::size_t jobs_max = 2000;
constexpr std::size_t hexadecimal_min = 8;
constexpr std::array states{job_state::dead, job_state::quarantined, job_state::scheduled};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// How many characters at the front are a number, or an id; 0: none.
std::size_t number_at(std::string_view text) {
  std::size_t digits = 0;
  std::size_t word = 0;
  while (word < text.size() && is_hexadecimal(text[word])) digits += is_digit(text[word++]) ? 1 : 0;
  if (word >= hexadecimal_min && digits > 0) return word;
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  return length;
}

std::string base_name(const std::string& identity) { return identity.substr(0, identity.find('(')); }
std::string begin_of(const std::string& text) { return text.substr(0, error_key_bytes_max); }

void add(std::map<error_key, error_group>& to, const jobs::stored_job& job, const failure& error) {
  auto& group = to[error_key_of(job, error)];
  const std::string id = to_string(job.id);
  const std::string pushed = jobs::time_text(job.created);
  if (group.last.empty() || pushed > group.last) {
    group.closure = log::to_utf8(base_name(job.handler));
    group.type = log::to_utf8(error.type);
    group.message = log::to_utf8(error.message);
    group.newest = id;
    group.last = pushed;
  }
  if (group.first.empty() || pushed < group.first) group.first = pushed;
  ++(job.state == job_state::dead          ? group.dead
     : job.state == job_state::quarantined ? group.quarantined
                                           : group.retrying);
}

}  // namespace

std::string without_numbers(std::string_view message) {
  std::string made;
  while (!message.empty()) {
    if (const std::size_t length = number_at(message); length > 0) {
      made += '#';
      message.remove_prefix(length);
    } else {
      made += message.front();
      message.remove_prefix(1);
    }
  }
  return made;
}

error_key error_key_of(const jobs::stored_job& job, const failure& error) {
  return {begin_of(base_name(job.handler)), begin_of(error.type), begin_of(without_numbers(error.message))};
}

std::string to_text(const error_key& key) {
  return hex_of(key.closure) + '.' + hex_of(key.type) + '.' + hex_of(key.message);
}

std::optional<error_key> error_key_from(std::string_view text) {
  error_key made;
  std::string* const parts[] = {&made.closure, &made.type, &made.message};
  for (std::string* const part : parts) {
    const bool is_last = part == &made.message;
    const auto end = is_last ? text.size() : text.find('.');
    auto bytes = bytes_of_hex(text.substr(0, end));
    if (end == std::string_view::npos || !bytes) return std::nullopt;
    *part = std::move(*bytes);
    text.remove_prefix(is_last ? end : end + 1);
  }
  return made;
}

bool has_failed_so(jobs::store& in, const jobs::stored_job& job, const error_key& how) {
  if (begin_of(base_name(job.handler)) != how.closure) return false;
  const auto error = jobs::last_error_of(in, job);
  return error && error_key_of(job, *error) == how;
}

error_groups group_errors(jobs::store& of, steady_time until) {
  std::map<error_key, error_group> found;
  error_groups made;
  std::array<std::optional<jobs::job_id>, states.size()> before;
  std::array<bool, states.size()> is_over{};
  const auto is_enough = [&] {
    return steady_clock::now() >= until || made.looked_at >= static_cast<std::int64_t>(jobs_max);
  };
  // A page of each state in turn, so that many of one do not hide the others.
  while (!made.has_more && !std::ranges::all_of(is_over, std::identity())) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (is_over[i]) continue;
      const auto page =
          of.list({.queue = {}, .state = states[i], .before = before[i], .limit = page_of_a_state});
      is_over[i] = page.size() < page_of_a_state;
      for (const auto& job : page) {
        if (made.has_more = is_enough(); made.has_more) break;
        before[i] = job.id;
        ++made.looked_at;
        if (const auto error = jobs::last_error_of(of, job)) add(found, job, *error);
      }
    }
  }
  for (auto& [key, group] : found) {
    group.key = to_text(key);
    made.groups.push_back(std::move(group));
  }
  std::ranges::stable_sort(made.groups, std::greater<>(),
                           [](const error_group& one) { return one.dead + one.quarantined + one.retrying; });
  return made;
}

}  // namespace weft::inline v1::dashboard
