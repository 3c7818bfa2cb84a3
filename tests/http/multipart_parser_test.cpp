#include "http/multipart/parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weft::http {
namespace {

using detail::multipart_boundary;
using detail::multipart_parser;
using event = multipart_parser::event;

constexpr multipart_limits small{.parts_max = 3, .part_head_bytes_max = 200};

/// What a body is read as: "name=value;" for fields, "name(file name,type)=value;" for files, and how it
/// ends.
std::string read(std::string_view body, std::size_t step_bytes = std::string_view::npos) {
  multipart_parser parser("b", small);
  std::string out;
  std::string unread;
  for (std::size_t given = 0;;) {
    const multipart_parser::step got = parser.advance(unread);
    const std::string data(got.data);
    unread.erase(0, got.consumed);
    switch (got.what) {
      case event::part:
        out += parser.part().name;
        if (parser.part().file_name)
          out += "(" + *parser.part().file_name + "," + parser.part().content_type + ")";
        out += "=";
        break;
      case event::data:
        out += data;
        break;
      case event::part_end:
        out += ";";
        break;
      case event::refused:
        return "refused " + std::to_string(parser.why_refused().status);
      case event::more:
      case event::end:
        if (got.what == event::end && !unread.empty()) break;  // what follows the end
        if (given == body.size()) return out + (parser.is_ended() ? "." : "...");
        const std::string_view piece = body.substr(given, step_bytes);
        given += piece.size();
        unread += piece;
    }
  }
}

std::string part(std::string_view disposition, std::string_view value) {
  return "--b\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n" + std::string(value) + "\r\n";
}
std::string field(std::string_view name, std::string_view value) {
  return part("form-data; name=\"" + std::string(name) + "\"", value);
}
const std::string last = "--b--\r\n";

TEST(multipart_parser, gives_the_same_parts_however_the_bytes_are_cut) {
  const std::string body =
      field("a", "1") + field("empty", "") +
      "--b\r\ncontent-type: text/plain\r\nX-Other: y\r\ncontent-disposition:form-data;name=f; "
      "filename=\"a \\\"b\\\".txt\"\r\n\r\n\r\n--\r\r\n-b\r\n--\r\n\r\n" +
      last;
  const std::string parts = "a=1;empty=;f(a \"b\".txt,text/plain)=\r\n--\r\r\n-b\r\n--\r\n;.";
  EXPECT_EQ(read(body), parts);
  for (std::size_t step = 1; step < body.size(); ++step) EXPECT_EQ(read(body, step), parts) << step;
}

TEST(multipart_parser, reads_what_browsers_and_programs_send) {
  EXPECT_EQ(read(last), ".");  // an empty form
  EXPECT_EQ(read(field("a", "1") + "--b--"), "a=1;.");
  EXPECT_EQ(read(part("form-data; name=a; filename=\"C:\\dir\\x\"", "1") + last), "a(C:\\dir\\x,)=1;.");
  EXPECT_EQ(read(part("FORM-DATA ; NAME=\"\\\\\"; filename=\"\"", "1") + last), "\\(,)=1;.");
  EXPECT_EQ(read(part("form-data; name=\"\xc3\xa4;=\"", "1") + last), "\xc3\xa4;==1;.");
}

TEST(multipart_parser, refuses_what_others_might_read_otherwise) {
  const std::string disposition = "Content-Disposition: form-data; name=a\r\n";
  const std::string refused[] = {
      "\r\n" + field("a", "1") + last,          // a preamble
      "x",                                      //
      "--c\r\n",                                // another boundary
      "--b \r\n",                               //
      "--bb\r\n",                               //
      "--b\n",                                  //
      field("a", "1\r\n--bb") + last,           // a line that begins with the boundary
      field("a", "1") + "--b-\r\n",             //
      field("a", "1") + last + "x",             // an epilogue
      field("a", "1") + "--b--\n",              //
      field("a", "1") + last + "\r\n",          //
      "--b\r\n\r\n1\r\n" + last,                // no disposition
      part("form-data", "1") + last,            // no name
      part("attachment; name=a", "1") + last,   //
      part("form-data; name=a; name=b", "1"),   //
      part("form-data; name=a; NAME=a", "1"),   //
      part("form-data; name=\"a", "1") + last,  //
      part("form-data; name=\"a\"x", "1"),      //
      part("form-data; name=a b", "1"),         //
      part("form-data; name=a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q", "1"),
      part("form-data; name=a; filename*=UTF-8''x", "1"),
      "--b\r\n" + disposition + disposition + "\r\n1\r\n",
      "--b\r\n" + disposition + "Content-Type: a\r\nContent-Type: b\r\n\r\n1\r\n",
      "--b\r\n" + disposition + "Content-Transfer-Encoding: base64\r\n\r\n1\r\n",
      "--b\r\n" + disposition + " folded\r\n\r\n1\r\n",
      "--b\r\n" + disposition + "no colon\r\n\r\n1\r\n",
      "--b\r\nContent-Disposition: form-data; name=a\n\n1\r\n",
      "--b\r\nContent-Disposition: form-data; name=\"a\rb\"\r\n\r\n1\r\n",
  };
  for (const std::string& body : refused) {
    EXPECT_EQ(read(body), "refused 400") << body;
    EXPECT_EQ(read(body, 1), "refused 400") << body;
  }
}

TEST(multipart_parser, says_when_the_end_is_missing) {
  const std::string body = field("a", "1") + last;
  for (std::size_t bytes = 0; bytes < body.size() - 2; ++bytes)
    EXPECT_TRUE(read(body.substr(0, bytes)).ends_with("...")) << bytes;
}

TEST(multipart_parser, keeps_its_bounds) {
  EXPECT_EQ(read(field("a", "") + field("a", "") + field("a", "") + last), "a=;a=;a=;.");
  EXPECT_EQ(read(field("a", "") + field("a", "") + field("a", "") + field("a", "") + last), "refused 413");
  EXPECT_EQ(read(field(std::string(100, 'x'), "1") + last).size(), 104u);
  EXPECT_EQ(read(field(std::string(200, 'x'), "1") + last), "refused 431");
  EXPECT_EQ(read("--b\r\n" + std::string(201, 'x')), "refused 431");  // before the line's end is here
}

TEST(multipart_boundary, is_taken_from_the_right_type_only) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b:c\""), "a b:c");
  EXPECT_EQ(multipart_boundary("multipart/mixed; boundary=abc"), std::nullopt);
  EXPECT_EQ(multipart_boundary(""), std::nullopt);
  EXPECT_EQ(multipart_boundary("multipart/form-data"), "");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=\"\""), "");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=\"a \""), "");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=\"a\tb\""), "");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'x')),
            std::string(70, 'x'));
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')), "");
}

}  // namespace
}  // namespace weft::http
