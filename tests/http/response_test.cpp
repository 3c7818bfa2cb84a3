#include <weft/http/response.hpp>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

namespace weft::http {
namespace {

TEST(response, a_header_set_again_replaces_and_one_added_stays_beside) {
  response made;
  made.header("X-A", "1").header("X-AB", "2").header("x-a", "3");
  EXPECT_EQ(made.header("X-A"), "3");
  EXPECT_EQ(made.header("x-ab"), "2");
  made.add_header("X-A", "4");
  EXPECT_EQ(made.header("X-A"), "3");
  made.header("X-A", "5");
  EXPECT_EQ(made.header("X-A"), "5");
  EXPECT_EQ(made.header("X"), std::nullopt);
}

TEST(response, refuses_headers_that_would_break_the_message) {
  response made;
  EXPECT_THROW(made.header("X-A", "1\r\nX-B: 2"), error);
  EXPECT_THROW(made.header("X-A\r\nX-B", "1"), error);
  EXPECT_THROW(made.header("X A", "1"), error);
  EXPECT_THROW(made.header("", "1"), error);
  EXPECT_THROW(made.header("Content-Length", "1"), error);
  EXPECT_THROW(made.add_header("transfer-encoding", "chunked"), error);
  EXPECT_EQ(made.header("X-A"), std::nullopt);
}

TEST(response, has_a_status_of_a_final_response) {
  EXPECT_EQ(response(404, "no").status(), 404);
  EXPECT_THROW(response(100), error);
  EXPECT_THROW(response(600), error);
}

TEST(response, names_the_kind_of_its_body) {
  EXPECT_EQ(response::json("{}").header("content-type"), "application/json");
  EXPECT_EQ(response::text("x", 201).header("content-type"), "text/plain; charset=utf-8");
}

TEST(response, written_outside_a_handler_gathers_its_pieces) {
  response made;
  made.write("a");
  made.write("b");
  EXPECT_EQ(made.body(), "ab");
}

}  // namespace
}  // namespace weft::http
