#include <weft/http/event_parser.hpp>

#include <charconv>

#include <weft/core/error.hpp>

namespace weft::inline v1::http {

void event_parser::feed(std::string_view bytes) {
  for (const char one : bytes) {
    const bool ends_pair = one == '\n' && skips_lf_;
    skips_lf_ = one == '\r';
    if (ends_pair) continue;
    if (one == '\r' || one == '\n') {
      take_line();
      line_.clear();
      continue;
    }
    if (line_.size() + data_.size() >= bytes_max_) {
      throw error(errc::too_large,
                  "http: a server-sent event has more than " + std::to_string(bytes_max_) + " bytes");
    }
    line_ += one;
  }
}

void event_parser::take_line() {
  std::string_view line = line_;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (first_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  first_ = false;
  if (!line.empty()) {
    const std::size_t colon = line.find(':');
    if (colon == 0) return;  // a comment
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    return take_field(name, value);
  }
  last_id_ = named_id_;
  if (!data_.empty()) {
    data_.pop_back();  // the end of its last line
    complete_.push_back({{.data = std::move(data_),
                          .name = name_.empty() ? "message" : std::move(name_),
                          .id = names_id_ ? last_id_ : std::string()},
                         names_id_});
    names_id_ = false;
  }
  data_.clear();
  name_.clear();
}

void event_parser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).append("\n");
  } else if (name == "event") {
    name_ = value;
  } else if (name == "id") {
    if (value.find('\0') != std::string_view::npos) return;
    if (value.size() > id_bytes_max) {
      throw error(errc::too_large, "http: the id of a server-sent event has more than " +
                                       std::to_string(id_bytes_max) + " bytes");
    }
    named_id_ = value;
    names_id_ = true;
  } else if (name == "retry") {
    std::chrono::milliseconds::rep time = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, failure] = std::from_chars(value.data(), end, time);
    if (failure == std::errc() && stop == end && value.front() != '-')
      retry_ = std::chrono::milliseconds(time);
  }
}

std::optional<received_event> event_parser::next() {
  if (complete_.empty()) return std::nullopt;
  auto [first, names_id] = std::move(complete_.front());
  complete_.pop_front();
  if (names_id) {
    told_id_ = first.id;
  } else {
    first.id = told_id_;
  }
  return first;
}

}  // namespace weft::inline v1::http
