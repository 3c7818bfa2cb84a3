// Frames of HTTP/2 from anywhere, behind the preface. Whatever comes, the session asks for nothing that it
// did not announce, and a head that is taken keeps the rules and the bounds.
#include "fuzz/check.hpp"
#include "http/chars.hpp"
#include "http/h2/request_reader.hpp"
#include "http/h2/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace {

namespace http = weft::http;
namespace h2 = weft::http::detail::h2;
using weft::http::detail::progress;
using weft::http::detail::request_head;

constexpr http::limits small{
    .request_line_bytes_max = 64, .head_bytes_max = 512, .header_count_max = 8, .body_bytes_max = 1000};

void check(const request_head& head) {
  fuzz_check(head.fields.size() <= small.header_count_max, "the number of fields keeps its bound");
  fuzz_check(head.method.size() + head.target.size() <= small.request_line_bytes_max,
             "the target keeps its bound");
  fuzz_check(head.target == "*" || head.target.front() == '/', "the target is a path");
  std::size_t hosts = 0;
  for (const http::header& one : head.fields) {
    fuzz_check(http::detail::token_bytes.spells(one.name), "a name is a token");
    fuzz_check(http::detail::is_field_value(one.value), "a value has no control bytes");
    fuzz_check(one.name != "connection" && one.name != "transfer-encoding", "no field of a connection");
    if (one.name == "host") {
      ++hosts;
      fuzz_check(one.value == head.host, "Host is the host");
    }
  }
  fuzz_check(hosts == 1, "there is one Host");
}

class site final : h2::session_events {
 public:
  void receive(std::string_view bytes) {
    if (session_.receive(bytes)) is_over_ = true;
    while (!is_over_ && !session_.next_out().empty()) {
    }
  }
  bool is_over() const { return is_over_ || !session_.wants_more(); }

 private:
  struct asked {
    h2::request_reader reader{small};
    std::string body{"an answer"};
    bool has_head = false;
  };
  void control_frame() override {}
  void request_reset() override {}
  void request_refused() override {}
  void stream_broken() override {}
  void went_away(h2::error_code) override {}
  void head_begins(h2::stream_id id) override {
    fuzz_check(all_.emplace(id, std::make_unique<asked>()).second, "a stream begins once");
    fuzz_check(all_.size() <= 4, "no more streams than announced");
  }
  void field(h2::stream_id id, std::string_view name, std::string_view value) override {
    if (const auto found = all_.find(id); found != all_.end()) found->second->reader.add(name, value);
  }
  void head_ends(h2::stream_id id, bool request_ends) override {
    const auto found = all_.find(id);
    fuzz_check(found != all_.end(), "a head ends that began");
    asked& one = *found->second;
    one.has_head = true;
    if (one.reader.finish(request_ends) == progress::done) {
      check(one.reader.head());
    } else {
      const int status = one.reader.why_refused().status;
      fuzz_check(status >= 400 && status < 600, "a refusal has an error status");
    }
    session_.answer(id, 200, "X-Name: value\r\nConnection: close\r\n", true);
  }
  void trailer(h2::stream_id, std::string_view, std::string_view) override {}
  void data(h2::stream_id id, std::string_view piece) override {
    session_.received_of_all(piece.size());
    fuzz_check(all_.count(id) == 1, "data is of a stream");
    session_.consumed(id, piece.size());
  }
  void request_ends(h2::stream_id) override {}
  void stream_closed(h2::stream_id id) override { all_.erase(id); }
  taken take_body(h2::stream_id id, std::span<char> into) override {
    std::string& body = all_.at(id)->body;
    const std::size_t count = body.copy(into.data(), into.size());
    body.erase(0, count);
    return {.bytes = count, .is_end = body.empty()};
  }
  void answer_sent(h2::stream_id id) override { session_.reset(id, h2::error_code::no_error); }

  h2::session session_{*this, {.options = {.streams_max = 4}, .head_bytes_max = small.head_bytes_max}};
  std::map<h2::stream_id, std::unique_ptr<asked>> all_;
  bool is_over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t step = 1 + data[0];
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  site here;
  here.receive("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  here.receive({"\0\0\0\4\0\0\0\0\0", 9});
  while (!text.empty() && !here.is_over()) {
    here.receive(text.substr(0, step));
    text.remove_prefix(std::min(step, text.size()));
  }
  return 0;
}
