// The request parser beside two that are well kept: http-parser as a library, and llhttp as node serves with
// it. What weft takes they take as the same, request by request; where weft refuses and they do not, the
// reason is in the list here.

#include <gtest/gtest.h>
#include <http_parser.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/process/exec.hpp>

#include "http/chunk_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/request_generator.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
using detail::framing;
using detail::progress;

/// A request as a parser has read it.
struct parsed_request {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool operator==(const parsed_request&) const = default;
};

/// What a parser makes of some bytes.
struct reading {
  std::vector<parsed_request> requests;  ///< whole ones
  std::string refusal;                   ///< why it went no further; empty: the bytes were at an end
  bool closes = false;                   ///< the last request says that nothing follows
};

std::string shown(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte == '\r')
      text += "\\r";
    else if (byte == '\n')
      text += "\\n\n";
    else if (byte >= ' ' && byte < 0x7f)
      text += byte;
    else
      text += "\\x" + std::to_string(static_cast<unsigned char>(byte));
  }
  return text;
}

std::string shown(const reading& what) {
  std::string text;
  for (const parsed_request& one : what.requests) {
    text += one.method + ' ' + one.target;
    for (const auto& [name, value] : one.fields) text += " | " + name + ": " + shown(value);
    text += " | body " + shown(one.body) + "\n";
  }
  return text + (what.refusal.empty() ? "" : "refused: " + what.refusal + "\n");
}

std::string trimmed(std::string_view value) {
  const std::size_t first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(value.substr(first, value.find_last_not_of(" \t") + 1 - first));
}

/// Reads one request off `bytes`; false where there is no whole one.
bool read_one(std::string_view& bytes, reading& into) {
  constexpr limits bounds{};
  detail::request_parser parser(bounds);
  const progress how = parser.advance(bytes);
  if (how == progress::refused) into.refusal = parser.why_refused().why;
  if (how != progress::done) return false;
  const detail::request_head& head = parser.head();
  parsed_request made{std::string(head.method), std::string(head.target), {}, {}};
  for (const header& one : head.fields) made.fields.emplace_back(one.name, one.value);
  bytes.remove_prefix(parser.head_bytes());
  if (head.body == framing::length) {
    if (bytes.size() < head.content_length) return false;
    made.body = bytes.substr(0, head.content_length);
    bytes.remove_prefix(head.content_length);
  } else if (head.body == framing::chunked) {
    detail::chunk_decoder decoder(bounds);
    decoder.restart();
    std::string out(bytes.size(), '\0');
    const auto step = decoder.advance(bytes, out.data());
    if (step.how == progress::refused) into.refusal = decoder.why_refused().why;
    if (step.how != progress::done) return false;
    made.body = out.substr(0, step.written);
    bytes.remove_prefix(step.consumed);
  }
  into.closes = !head.keep_alive;
  into.requests.push_back(std::move(made));
  return true;
}

reading read_as_weft(std::string_view bytes) {
  reading made;
  while (!bytes.empty() && !made.closes && read_one(bytes, made)) {
  }
  return made;
}

/// The request that http-parser is at.
struct http_parser_state {
  reading made;
  parsed_request now;
  bool in_value = false;
  bool has_head = false;

  void name(std::string_view piece) {
    if (has_head) return;  // a trailer
    if (in_value || now.fields.empty()) now.fields.emplace_back();
    in_value = false;
    now.fields.back().first += piece;
  }
  void value(std::string_view piece) {
    if (has_head) return;
    in_value = true;
    now.fields.back().second += piece;
  }
  void finish(const char* method) {
    now.method = method;
    for (auto& field : now.fields) field.second = trimmed(field.second);
    made.requests.push_back(std::exchange(now, {}));
    in_value = has_head = false;
  }
};

http_parser_state& state_of(const http_parser* parser) {
  return *static_cast<http_parser_state*>(parser->data);
}

reading read_as_http_parser(std::string_view bytes) {
  http_parser_settings calls;
  http_parser_settings_init(&calls);
  calls.on_url = [](http_parser* parser, const char* at, std::size_t size) {
    state_of(parser).now.target.append(at, size);
    return 0;
  };
  calls.on_header_field = [](http_parser* parser, const char* at, std::size_t size) {
    state_of(parser).name({at, size});
    return 0;
  };
  calls.on_header_value = [](http_parser* parser, const char* at, std::size_t size) {
    state_of(parser).value({at, size});
    return 0;
  };
  calls.on_headers_complete = [](http_parser* parser) {
    state_of(parser).has_head = true;
    return 0;
  };
  calls.on_body = [](http_parser* parser, const char* at, std::size_t size) {
    state_of(parser).now.body.append(at, size);
    return 0;
  };
  calls.on_message_complete = [](http_parser* parser) {
    state_of(parser).finish(http_method_str(static_cast<http_method>(parser->method)));
    return 0;
  };
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  http_parser_state state;
  parser.data = &state;
  http_parser_execute(&parser, &calls, bytes.data(), bytes.size());
  const auto error = static_cast<http_errno>(parser.http_errno);
  if (error != HPE_OK) state.made.refusal = http_errno_name(error);
  return std::move(state.made);
}

// Serves connections that are read from stdin, each a line in hex, one after another. Prints a line for each:
// the requests it has served, each as method, target, names and values, body; in hex.
const std::string node_script = R"JS(
const http = require("http"), {Duplex} = require("stream");
const hex = (bytes) => Buffer.from(bytes, "latin1").toString("hex") || "-";
let done = [], refusal = "";
const serve = (request, response) => {
  const body = [];
  request.on("data", (piece) => body.push(piece));
  request.on("end", () => {
    done.push([request.method, request.url, String(request.rawHeaders.length), ...request.rawHeaders,
      Buffer.concat(body).toString("latin1")].map(hex).join(" "));
    response.end("x");
  });
};
const server = http.createServer({keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0,
                                  connectionsCheckingInterval: 1 << 30}, serve);
for (const name of ["checkContinue", "checkExpectation"]) server.on(name, serve);
server.on("connect", (request, socket) => { refusal = "CONNECT"; socket.destroy(); });
server.on("upgrade", (request, socket) => { refusal = "Upgrade"; socket.destroy(); });
server.on("clientError", (error, socket) => { refusal = error.code || String(error); });
const one = (bytes) => new Promise((over) => {
  done = []; refusal = "";
  const socket = new Duplex({read() {}, write(piece, _, next) {
    if (/^HTTP\/1\.1 4/.test(piece.toString("latin1"))) refusal = refusal || "400";
    next();
  }, final(next) { next(); }});
  socket.setTimeout = socket.setNoDelay = socket.setKeepAlive = socket.ref = socket.unref = () => socket;
  socket.on("close", over);
  socket.on("error", () => {});
  server.emit("connection", socket);
  socket.push(bytes);
  socket.push(null);
  socket.on("end", () => setImmediate(() => setImmediate(() => setImmediate(() => socket.destroy()))));
});
(async () => {
  const out = [];
  for (const line of require("fs").readFileSync(0, "latin1").split("\n").slice(0, -1)) {
    await one(Buffer.from(line, "hex"));
    out.push(done.join(";") + "|" + hex(refusal));
  }
  process.stdout.write(out.join("\n") + "\n", () => process.exit(0));
})();
)JS";

std::string to_hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char one : bytes) {
    const auto byte = static_cast<unsigned char>(one);
    text += {digits[byte / 16], digits[byte % 16]};
  }
  return text;
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2)
    bytes += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
  return bytes;  // "-" is nothing
}

reading reading_of_line(const std::string& line) {
  reading made;
  const std::size_t bar = line.find('|');
  made.refusal = from_hex(line.substr(bar + 1));
  std::istringstream requests(line.substr(0, bar));
  for (std::string text; std::getline(requests, text, ';');) {
    std::istringstream words(text);
    const auto next = [&words] {
      std::string word;
      words >> word;
      return from_hex(word);
    };
    parsed_request one;
    one.method = next();
    one.target = next();
    for (int left = std::stoi(next()); left > 0; left -= 2) {
      std::string name = next();
      one.fields.emplace_back(std::move(name), trimmed(next()));
    }
    one.body = next();
    made.requests.push_back(std::move(one));
  }
  return made;
}

std::vector<reading> read_as_node(const std::vector<std::string>& cases) {
  std::string input;
  for (const std::string& one : cases) input += to_hex(one) + '\n';
  std::vector<reading> all;
  run([&] {
    const exec_result said =
        exec({"/usr/bin/node", "-e", node_script}, {.input = std::move(input), .timeout = 100s});
    EXPECT_TRUE(said.ok()) << said.err;
    std::istringstream lines(said.out);
    for (std::string line; std::getline(lines, line);) all.push_back(reading_of_line(line));
  });
  return all;
}

/// Where weft refuses what others take: why that is right.
const std::map<std::string, const char*> stricter = {
    {"a line ends without CR",
     "RFC 9112 2.2 allows it; but two that differ about ends of lines see two requests"},
    {"a chunk line ends without CR", "as with other lines"},
    {"a chunk that does not end where it says", "http-parser skips what stands in place of the CR"},
    {"a folded header line", "RFC 9112 5.2: a server refuses it, or repairs it; nothing is repaired"},
    {"a bad header name", "http-parser lets spaces in names through"},
    {"a header line without a colon", "http-parser takes a CR within for the end of the line"},
    {"a control byte in a header value", "RFC 9110 5.5; http-parser lets some through"},
    {"Transfer-Encoding in HTTP/1.0", "RFC 9112 6.1: the framing is faulty"},
    {"Transfer-Encoding with Content-Length", "RFC 9112 6.1: a try at smuggling"},
    {"a Transfer-Encoding other than chunked", "RFC 9112 6.1: no other coding is offered"},
    {"more than one Transfer-Encoding", "nobody sends it; proxies differ about it"},
    {"more than one Content-Length", "nobody sends it; proxies differ about it"},
    {"a bad Content-Length", "at most 18 digits, and no signs or lists"},
    {"a body that the method does not have",
     "RFC 9110 9.3.1: it has no meaning, and may be a try at smuggling"},
    {"no Host", "RFC 9112 3.2; a parser alone does not look at it"},
    {"more than one Host", "RFC 9112 3.2: 400 is demanded"},
    {"a bad Host", "RFC 9112 3.2: 400 is demanded"},
    {"the target names another host than Host",
     "RFC 9112 3.2.2 has the target win; programs behind may see Host"},
    {"a bad request target", "RFC 9112 3.2; bytes that no URI has"},
    {"a bad request line", "RFC 9112 3: single spaces, three words; HTTP/0.9 has two"},
    {"a bad method", "http-parser and node skip empty lines in front, also several"},
    {"a bad protocol version", "http-parser takes any two numbers"},
    {"only HTTP/1.0 and HTTP/1.1 are spoken here", "http-parser takes any two numbers"},
    {"a bad chunk size", "http-parser skips what follows the digits"},
    {"a bad chunk extension", "RFC 9112 7.1.1; bytes that no extension has"},
    {"a trailer that only a header may have", "RFC 9110 6.5.1; it might be taken for a header"},
    {"an unknown expectation", "RFC 9110 10.1.1: 417"},
    {"CONNECT is not offered", "501"},
};
/// Where weft takes what others refuse. They know a list of methods, weft takes any token, which its router
/// then does not find (RFC 9110 9.1). llhttp takes a name that only begins with Transfer-Encoding for that.
bool is_wider(const parsed_request& ours, const reading& theirs) {
  const std::set<std::string> known{"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"};
  if (theirs.refusal == "HPE_INVALID_METHOD") return !known.contains(ours.method);
  const std::string_view coding = "transfer-encoding";
  return std::any_of(ours.fields.begin(), ours.fields.end(), [&](const auto& field) {
    return field.first.size() > coding.size() && same_name(field.first.substr(0, coding.size()), coding);
  });
}

/// How many cases; WEFT_SEEDS in the environment: that many.
std::size_t case_count() {
  const char* const asked = std::getenv("WEFT_SEEDS");
  return asked == nullptr ? 4000 : std::strtoul(asked, nullptr, 10);
}

std::vector<std::string> make_cases() {
  std::vector<std::string> all;
  for (std::size_t seed = 1; seed <= case_count(); ++seed) all.push_back(request_generator(seed).make());
  return all;
}

/// What was found in all cases.
struct comparison {
  std::size_t taken = 0;                       ///< requests that both have
  std::map<std::string, std::size_t> refused;  ///< by weft and not by the other, by weft's reason
};

void compare(const std::string& bytes, const reading& ours, const reading& theirs, comparison& found) {
  SCOPED_TRACE(shown(bytes) + "\nweft: " + shown(ours) + "the other: " + shown(theirs));
  for (std::size_t i = 0; i < ours.requests.size(); ++i) {
    if (i >= theirs.requests.size()) {
      EXPECT_TRUE(is_wider(ours.requests[i], theirs)) << "weft takes what the other refuses";
      return;
    }
    ASSERT_TRUE(ours.requests[i] == theirs.requests[i]) << "request " << i << " is not the same";
    ++found.taken;
  }
  if (theirs.requests.size() == ours.requests.size() || ours.closes) return;
  // Where the other has a whole request and weft waits for the end of a line, it refuses that when it comes.
  const reading ended = ours.refusal.empty() ? read_as_weft(bytes + "\r\n\r\n") : ours;
  EXPECT_EQ(ended.requests.size(), ours.requests.size()) << "they differ about the end of a request";
  EXPECT_TRUE(stricter.contains(ended.refusal)) << "no reason is written for: " << ended.refusal;
  ++found.refused[ended.refusal];
}

TEST(differential, what_is_taken_http_parser_takes_as_the_same) {
  comparison found;
  for (const std::string& bytes : make_cases()) {
    compare(bytes, read_as_weft(bytes), read_as_http_parser(bytes), found);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(found.taken, case_count() / 2);
  EXPECT_FALSE(found.refused.empty());
  for (const auto& [why, count] : found.refused) RecordProperty("refused: " + why, std::to_string(count));
}

TEST(differential, what_is_taken_node_takes_as_the_same) {
  WEFT_NEED_PROGRAM("/usr/bin/node");
  const std::vector<std::string> cases = make_cases();
  const std::vector<reading> theirs = read_as_node(cases);
  ASSERT_EQ(theirs.size(), cases.size());
  comparison found;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    compare(cases[i], read_as_weft(cases[i]), theirs[i], found);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(found.taken, case_count() / 2);
  for (const auto& [why, count] : found.refused) RecordProperty("refused: " + why, std::to_string(count));
}

}  // namespace
}  // namespace weft::http
