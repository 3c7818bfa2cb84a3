#include "http/hostile_table.hpp"

#include <string>

namespace weft::inline v1::http {
namespace {

using namespace std::string_literals;

std::string hex_of(int byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {digits[byte / 16], digits[byte % 16]};
}

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

void add_lines(hostile_table& to) {
  for (const char* const text : {"hello",
                                 "GET",
                                 "GET /x",
                                 "GET  /x HTTP/1.1",
                                 "GET /x  HTTP/1.1",
                                 " GET /x HTTP/1.1",
                                 "GET\t/x HTTP/1.1",
                                 "GET /x\tHTTP/1.1",
                                 "GET\v/x HTTP/1.1",
                                 "GET\f/x HTTP/1.1",
                                 "GET /x HTTP/1.1 ",
                                 "GET /x HTTP/1.1 x",
                                 "GET /x y HTTP/1.1",
                                 "GET /x http/1.1",
                                 "GET /x HTTP/1",
                                 "GET /x HTTP/1.10",
                                 "GET /x HTTP/11",
                                 "GET /x HTTP/01.1",
                                 "GET /x HTTP/-1.1",
                                 "GET /x HTTP/1,1",
                                 "GET /x HTTP/1.x",
                                 "GET /x HTTP/ 1.1",
                                 "GET /x XTTP/1.1",
                                 "GET x HTTP/1.1",
                                 "GET ?x HTTP/1.1",
                                 "GET * HTTP/1.1",
                                 "GET #x HTTP/1.1",
                                 "GET /x#y HTTP/1.1",
                                 "GET /\x7f HTTP/1.1",
                                 "GET /\xff HTTP/1.1",
                                 "GET /\xc3\xa9 HTTP/1.1",
                                 "GET \\x HTTP/1.1",
                                 "GET: /x HTTP/1.1",
                                 "G{T /x HTTP/1.1",
                                 "G\xc3\x89T /x HTTP/1.1",
                                 "(GET) /x HTTP/1.1",
                                 "GET http:///x HTTP/1.1",
                                 "GET http://?x HTTP/1.1",
                                 "GET https HTTP/1.1",
                                 "GET ftp://a/x HTTP/1.1",
                                 "GET http:/a/x HTTP/1.1",
                                 "GET http://b/x HTTP/1.1",
                                 "GET http://a:81/x HTTP/1.1",
                                 "GET http://u@a/x HTTP/1.1",
                                 "GET http://a@b/x HTTP/1.1",
                                 "GET a:80 HTTP/1.1",
                                 "GET /x\rHTTP/1.1",
                                 "GET /x HTTP/1.1\rX: y",
                                 "\rGET /x HTTP/1.1",
                                 "\nGET /x HTTP/1.1",
                                 "\r\n\r\nGET /x HTTP/1.1",
                                 "GET /x HTTP/1.1\r",
                                 "SSH-2.0-OpenSSH_9.2",
                                 "EHLO mail.example",
                                 "*1\r\n$4\r\nPING",
                                 "\x16\x03\x01\x02"})
    to.line(text, text);
  to.line("zero in the method", "G\0T /x HTTP/1.1"s);
  to.line("zero in the target", "GET /x\0y HTTP/1.1"s);
  to.line("zero behind the version", "GET /x HTTP/1.1\0"s);
  for (const char* const text :
       {"GET /x HTTP/2.0", "GET /x HTTP/0.9", "GET /x HTTP/9.9", "GET /x HTTP/1.2", "PRI * HTTP/2.0"})
    to.line(text, text, 505);
  to.line("CONNECT", "CONNECT a:80 HTTP/1.1", 501);
  to.line("a target of 10,000 bytes", "GET /" + std::string(10'000, 'x') + " HTTP/1.1", 414);
  to.line("a method of 10,000 bytes", std::string(10'000, 'G') + " /x HTTP/1.1", 414);
  to.line("a version of 10,000 bytes", "GET /x HTTP/1." + std::string(10'000, '1'), 414);
  to.add("a target without end", "GET /" + std::string(64 * 1024, 'x'), 414);
  to.add("lines that end with LF", "GET /x HTTP/1.1\nHost: a\n\n");
  to.add("a first line that ends with LF", "GET /x HTTP/1.1\nHost: a\r\n\r\n");
}

void add_fields(hostile_table& to) {
  for (const char byte : "\"(),/;<=>?@[\\]{} \t\x01\x7f\x80"s) {
    to.fields("a name with " + hex_of(static_cast<unsigned char>(byte)), "X"s + byte + "Y: z\r\n");
    to.fields("a name that ends with " + hex_of(static_cast<unsigned char>(byte)), "X"s + byte + ": z\r\n");
  }
  for (int byte = 0; byte < 0x80; byte = byte == 0x1f ? 0x7f : byte + 1) {
    if (byte == '\t' || byte == '\n') continue;
    to.fields("a value with " + hex_of(byte), "X: a"s + static_cast<char>(byte) + "b\r\n");
  }
  to.fields("a name with zero", "X\0Y: z\r\n"s);
  to.fields("no colon", "nothing\r\n");
  to.fields("no name", ": z\r\n");
  to.fields("a name of UTF-8", "\xc3\xa9: z\r\n");
  to.fields("folded by a space", "X: a\r\n b\r\n");
  to.fields("folded by a tab", "X: a\r\n\tb\r\n");
  to.fields("a fold of nothing", "X: a\r\n \r\n");
  to.add("fields: the first one folded", "GET /x HTTP/1.1\r\n Host: a\r\n\r\n");
  to.fields("a line that ends with LF", "X: a\n");
  to.fields("a hidden line behind LF", "X: a\nContent-Length: 5\r\n");
  to.fields("a value that ends with two CR", "X: a\r\r\n");
  to.fields("a head that ends with LF", "X: a\r\n\n");
  to.fields("only CR between lines", "X: a\rY: b\r\n");
  to.fields("1 MB in one field", "X: " + std::string(1'000'000, 'x') + "\r\n", 431);
  to.fields("a name of 70 KB", std::string(70'000, 'x') + ": y\r\n", 431);
  to.fields("101 fields", repeated("a: b\r\n", 100), 431);
  to.fields("10,000 fields", repeated("a:b\r\n", 10'000), 431);
  to.fields("many fields of 1 KB", repeated("a: " + std::string(1024, 'x') + "\r\n", 70), 431);
  to.add("expect: something else",
         "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", 417);
}

void add_hosts(hostile_table& to) {
  to.host("none", "");
  to.host("only another field", "X-Host: a\r\n");
  to.host("two", "Host: a\r\nHost: b\r\n");
  to.host("the same twice", "Host: a\r\nHost: a\r\n");
  to.host("two in other cases", "host: a\r\nHOST: b\r\n");
  to.host("a space before the colon", "Host : a\r\n");
  for (const char* const text : {"a b", "a,b", "a/b", "a@b", "a#b", "a?b", "a\\b", "a\"b", "<a>", "http://a",
                                 "\xc3\xa9", "a\tb", "a|b", "{a}", "a^b", "a`b"})
    to.host(text, "Host: "s + text + "\r\n");
  to.add("host: another one than the target's", "GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n");
  to.add("host: none beside the target's", "GET http://a/x HTTP/1.1\r\n\r\n");
  to.add("host: with a user, as in the target", "GET http://u@a/x HTTP/1.1\r\nHost: u@a\r\n\r\n");
}

void add_framing(hostile_table& to) {
  for (const char* const value : {"+5",
                                  "-5",
                                  "0x5",
                                  "5, 5",
                                  "5,5",
                                  "5 5",
                                  "5\t5",
                                  "5;",
                                  "5.0",
                                  "1e1",
                                  "\"5\"",
                                  "",
                                  "five",
                                  "1_0",
                                  "5b",
                                  "\xd9\xa5",
                                  "18446744073709551616",
                                  "18446744073709551617",
                                  "9999999999999999999",
                                  "00000000000000000000005",
                                  "5,",
                                  ",5"})
    to.length(value);
  to.length("5\0"s);
  to.framing("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n");
  to.framing("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n");
  to.framing("two lengths in other cases", "content-length: 5\r\nCONTENT-LENGTH: 0\r\n");
  to.framing("a space before the colon", "Content-Length : 5\r\n");
  to.framing("a folded length", "Content-Length:\r\n 5\r\n");
  for (const char* const value : {"xchunked",
                                  "chunkedx",
                                  "chunked, chunked",
                                  "chunked,chunked",
                                  "identity",
                                  "chunked, identity",
                                  "identity, chunked",
                                  "gzip, chunked",
                                  "gzip",
                                  "chunked;q=1",
                                  "chunked;",
                                  "\"chunked\"",
                                  "",
                                  "x",
                                  "chunked, x",
                                  ",chunked",
                                  "chunked,",
                                  "trailers",
                                  "chunk ed",
                                  "chunked\x0b",
                                  "\x0b"
                                  "chunked",
                                  "chunked\xa0",
                                  "chunked;foo=bar",
                                  "'chunked'",
                                  "cow",
                                  "deflate, chunked",
                                  "chunked \x01"})
    to.coding(value);
  to.coding("chunked\0"s);
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  to.framing("length and coding", "Content-Length: 5\r\n" + chunked);
  to.framing("coding and length", chunked + "Content-Length: 5\r\n");
  to.framing("coding and a length of nothing", chunked + "Content-Length: 0\r\n");
  to.framing("a bad coding and a length", "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n");
  to.framing("two codings", chunked + chunked);
  to.framing("two codings that differ", chunked + "Transfer-Encoding: identity\r\n");
  to.framing("two codings that differ, the other way", "Transfer-Encoding: identity\r\n" + chunked);
  to.framing("a space before the coding's colon", "Transfer-Encoding : chunked\r\n");
  to.framing("a folded coding", "Transfer-Encoding:\r\n chunked\r\n");
  to.framing("a coding behind LF", "X: a\nTransfer-Encoding: chunked\r\n");
  to.framing("a coding behind CR", "X: a\rTransfer-Encoding: chunked\r\n");
  to.framing("a coding in HTTP/1.0", chunked, "1.0");
  for (const char* const method : {"GET", "HEAD", "TRACE"}) {
    to.add("a length of "s + method, method + " /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"s);
    to.add("a coding of "s + method, method + " /x HTTP/1.1\r\nHost: a\r\n"s + chunked + "\r\n0\r\n\r\n");
  }
  const auto post = [&](const char* name, const std::string& rest) {
    to.add(name, "POST /x HTTP/1.1\r\nHost: a\r\n" + rest, 413);
  };
  post("a length over the limit", "Content-Length: 1048577\r\n\r\n");
  post("a length far over the limit", "Content-Length: 999999999999999999\r\n\r\n");
  post("a large body that is sent at once", "Content-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'));
  post("a large body that waits for a word", "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
}

void add_chunks(hostile_table& to) {
  for (const char* const text : {"",
                                 "g",
                                 "0x5",
                                 "+5",
                                 "-5",
                                 " 5",
                                 "5 ",
                                 "5\t",
                                 "5 ;a",
                                 "h",
                                 "5h",
                                 "5,",
                                 "5.0",
                                 "\"5\"",
                                 "0000000000000005",
                                 "ffffffffffffffff",
                                 "fffffffffffffffff",
                                 "7fffffffffffffff",
                                 "10000000000000005",
                                 "5\r",
                                 "\r5",
                                 "5;a\rb",
                                 "5;a\x01",
                                 "5;\x7f"})
    to.size(text);
  for (const char* const text : {"5;", "5;;a", "5;a;", "5;a=", "5;=b", "5; a=b", "5;a =b", "5;a= b", "5;a,b",
                                 "5;a?b", "5;a=\"b", "5;a=\"b\\\"", "5;a=\"b\"c", "5;a b"})
    to.size(text);
  to.size("5;\0"s);
  to.size("5\0"s);
  to.size("5;" + std::string(300, 'x'));
  for (const char* const text : {"100000000000000", "fffffffffffffff", "100001"}) to.size(text, 413);
  to.chunked("a size that ends with LF", "5\nhello\r\n0\r\n\r\n");
  to.chunked("an extension that ends with LF", "5;a\nhello\r\n0\r\n\r\n");
  to.chunked("a size without end", std::string(300, '0'));
  to.chunked("data that goes on", "5\r\nhelloo\r\n0\r\n\r\n");
  to.chunked("data that ends with LF", "5\r\nhello\n0\r\n\r\n");
  to.chunked("data that ends with CR", "5\r\nhello\r0\r\n\r\n");
  to.chunked("data without end", "5\r\nhello0\r\n\r\n");
  to.chunked("data that is too short", "6\r\nhello\r\n0\r\n\r\n");
  to.chunked("a second chunk that is bad", "5\r\nhello\r\nx\r\n");
  to.chunked("very many extensions", repeated("1;" + std::string(200, 'x') + "\r\na\r\n", 100) + "0\r\n\r\n");
  to.chunked("more than the limit", "fffff\r\n" + std::string(0xfffff, 'x') + "\r\n2\r\nxx\r\n", 413);
  for (const char* const name : {"Transfer-Encoding",
                                 "Content-Length",
                                 "Host",
                                 "Connection",
                                 "Trailer",
                                 "Expect",
                                 "TE",
                                 "Upgrade",
                                 "Range",
                                 "If-Match",
                                 "if-none-match",
                                 "If-Range",
                                 "Content-Encoding",
                                 "Content-Type",
                                 "Cookie",
                                 "Authorization",
                                 "Set-Cookie",
                                 "Cache-Control",
                                 "Content-Range",
                                 "Proxy-Connection",
                                 "Location",
                                 "Max-Forwards",
                                 "keep-alive",
                                 "Date",
                                 "transfer-encoding",
                                 "Proxy-Authorization"})
    to.trailer(name, name + ": 5\r\n"s);
  to.trailer("that is a length behind a good one", "X: y\r\nContent-Length: 5\r\n");
  to.trailer("that is a coding behind good ones", "X: y\r\nZ: y\r\nTransfer-Encoding: chunked\r\n");
  to.trailer("with a hidden request behind LF", "X: y\n\nGET /behind HTTP/1.1\r\nHost: a\r\n");
  to.trailer("with a hidden request behind CR", "X: y\r\rGET /behind HTTP/1.1\r\nHost: a\r\n");
  to.trailer("that is a request", "GET /behind HTTP/1.1\r\nHost: a\r\n");
  to.chunked("trailers of another chunk", "0\r\n5\r\nhello\r\n0\r\n\r\n");
  to.trailer("with a space before the colon", "X : y\r\n");
  to.trailer("that is folded", "X: y\r\n z\r\n");
  to.trailer("that begins with a fold", " X: y\r\n");
  to.trailer("without a colon", "nothing\r\n");
  to.trailer("without a name", ": y\r\n");
  to.trailer("that ends with LF", "X: y\n");
  to.trailer("with a zero", "X: \0\r\n"s);
  to.trailer("with CR", "X: a\rb\r\n");
  to.chunked("an end with LF", "0\r\n\n");
  to.chunked("an end that is LF", "0\n\n");
  to.trailer("101 times", repeated("a: b\r\n", 101), 431);
  to.trailer("of 20 KB", "a: " + std::string(20'000, 'x') + "\r\n", 431);
  to.trailer("of 8 KB three times", repeated("a: " + std::string(8000, 'x') + "\r\n", 3), 431);
}

}  // namespace

hostile_table::hostile_table() {
  add_lines(*this);
  add_fields(*this);
  add_hosts(*this);
  add_framing(*this);
  add_chunks(*this);
}

}  // namespace weft::inline v1::http
