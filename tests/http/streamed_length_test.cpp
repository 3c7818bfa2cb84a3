// Streamed answers whose length is said, and content with conditions and ranges, on the wire.

#include <weft/http/compression.hpp>
#include <weft/http/content.hpp>
#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include <weft/fiber/run.hpp>
#include <weft/net/files.hpp>

#include "http/raw_client.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

class gap_filter final : public body_filter {
 public:
  void write(std::string_view piece, std::string& out) override {
    for (const char one : piece) out.append(1, one).append(1, ' ');
  }
};

class broken_filter final : public body_filter {
 public:
  void write(std::string_view, std::string&) override { throw std::runtime_error("no more"); }
};

std::string get(const server& from, const std::string& target, const std::string& more = {},
                const std::string& method = "GET") {
  return raw_client(from).ask(method + ' ' + target + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n");
}

TEST(streamed_length, is_sent_in_place_of_chunks_and_the_connection_stays) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [](response& out) {
      out.length(10);
      out.write("01234");
      out.write("56789");
    });
    serving.start();
    const std::string request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = raw_client(serving).ask(request + request);
    EXPECT_EQ(count_of(got, "Content-Length: 10\r\n"), 2u) << got;
    EXPECT_EQ(count_of(got, "\r\n\r\n0123456789"), 2u) << got;
    EXPECT_EQ(count_of(got, "chunked"), 0u) << got;
    const std::string head = get(serving, "/x", "", "HEAD");
    EXPECT_EQ(count_of(head, "Content-Length: 10\r\n"), 1u) << head;
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
    serving.stop();
  });
}

TEST(streamed_length, is_kept_to_the_connection_is_closed_behind_less_and_more_is_refused) {
  run([] {
    server serving(on_any_port());
    serving.get("/less", [](response& out) {
      out.length(10);
      out.write("0123");
    });
    errc more = errc::unknown;
    serving.get("/more", [&more](response& out) {
      out.length(3);
      out.write("012");
      try {
        out.write("3");
      } catch (const error& refused) {
        more = refused.code();
      }
    });
    serving.start();
    const std::string behind = "GET /more HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string less = raw_client(serving).ask("GET /less HTTP/1.1\r\nHost: a\r\n\r\n" + behind);
    EXPECT_TRUE(less.ends_with("\r\n\r\n0123")) << less;  // and the request behind is not answered
    const std::string whole = raw_client(serving).ask(behind + behind);
    EXPECT_EQ(count_of(whole, "\r\n\r\n012"), 2u) << whole;
    EXPECT_EQ(more, errc::misuse);
    serving.stop();
  });
}

TEST(streamed_length, a_first_piece_that_is_refused_has_sent_nothing) {
  run([] {
    server serving(on_any_port());
    const auto too_much = [](response& out) {
      out.length(3);
      EXPECT_THROW(out.write("0123"), error);
    };
    serving.get("/goes-on", [&](response& out) {
      too_much(out);
      out.write("012");
    });
    serving.get("/gives-up", too_much);
    serving.get("/fails", [](response& out) {
      out.filter(std::make_unique<broken_filter>());
      out.write("x");
    });
    serving.get("/fails-silently", [](response& out) {
      out.filter(std::make_unique<broken_filter>());
      EXPECT_THROW(out.write("x"), std::runtime_error);
    });
    serving.start();
    const auto twice = [&](const std::string& target) {
      const std::string request = "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
      return raw_client(serving).ask(request + request);
    };
    const std::string goes_on = twice("/goes-on");
    EXPECT_EQ(count_of(goes_on, "HTTP/1.1 200 OK\r\n"), 2u) << goes_on;
    EXPECT_EQ(count_of(goes_on, "\r\n\r\n012"), 2u) << goes_on;
    EXPECT_EQ(goes_on.find("0123"), std::string::npos) << goes_on;
    for (const char* const target : {"/gives-up", "/fails", "/fails-silently"}) {
      const std::string got = twice(target);
      EXPECT_EQ(count_of(got, "HTTP/1.1 500 "), 2u) << target << got;
      EXPECT_EQ(count_of(got, "HTTP/1.1"), 2u) << target << got;
      EXPECT_EQ(count_of(got, "\r\n0\r\n"), 0u) << target << got;
    }
    serving.stop();
  });
}

TEST(streamed_length, gives_way_to_a_filter) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [](response& out) {
      out.filter(std::make_unique<gap_filter>());
      out.length(2);
      out.write("ab");
    });
    serving.start();
    const std::string got = get(serving, "/x");
    EXPECT_EQ(count_of(got, "Content-Length"), 0u) << got;
    EXPECT_TRUE(got.ends_with("4\r\na b \r\n0\r\n\r\n")) << got;
    serving.stop();
  });
}

TEST(streamed_files, are_sent_with_and_without_a_length_and_through_filters) {
  run([] {
    const weft_test::scratch_folder folder;
    std::string text;
    while (text.size() < 1'000'000) text += std::to_string(text.size()) + ' ';
    files::write_file(folder / "text", text);
    server serving(on_any_port());
    serving.get("/sized", [&](response& out) {
      files::file from = files::file::open(folder / "text");
      out.length(900'000);
      EXPECT_TRUE(out.send_file(from, 5, 900'000));
    });
    serving.get("/chunked", [&](response& out) {
      files::file from = files::file::open(folder / "text");
      EXPECT_TRUE(out.send_file(from, 7, 100));
      EXPECT_FALSE(out.send_file(from, text.size() - 3, 100));
    });
    files::write_file(folder / "empty", "");
    serving.get("/empty", [&](response& out) {
      files::file from = files::file::open(folder / "empty");
      EXPECT_TRUE(out.send_file(from, 0, 0));
      EXPECT_FALSE(out.send_file(from, 0, 1));
    });
    serving.get("/filtered", [&](response& out) {
      files::file from = files::file::open(folder / "text");
      out.filter(std::make_unique<gap_filter>());
      out.send_file(from, 0, 2);
    });
    serving.start();
    const std::string request = " HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = raw_client(serving).ask("GET /sized" + request + "GET /sized" + request);
    EXPECT_EQ(count_of(got, "\r\n\r\n" + text.substr(5, 900'000)), 2u);
    EXPECT_TRUE(get(serving, "/chunked")
                    .ends_with("64\r\n" + text.substr(7, 100) + "\r\n3\r\n" + text.substr(text.size() - 3) +
                               "\r\n0\r\n\r\n"));
    const std::string empty = get(serving, "/empty");
    EXPECT_EQ(empty.find("HTTP/1.1 200 OK\r\n"), 0u) << empty;
    EXPECT_TRUE(empty.ends_with("\r\n\r\n0\r\n\r\n")) << empty;
    EXPECT_TRUE(get(serving, "/filtered").ends_with("4\r\n0   \r\n0\r\n\r\n"));
    serving.stop();
  });
}

TEST(streamed_files, that_have_shrunk_close_the_connection) {
  run([] {
    const weft_test::scratch_folder folder;
    files::write_file(folder / "text", "0123456789");
    server serving(on_any_port());
    serving.get("/x", [&](response& out) {
      files::file from = files::file::open(folder / "text");
      out.length(100);
      EXPECT_FALSE(out.send_file(from, 0, 100));
    });
    serving.start();
    const std::string request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = raw_client(serving).ask(request + request);
    EXPECT_EQ(count_of(got, "HTTP/1.1"), 1u) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\n0123456789")) << got;
    serving.stop();
  });
}

TEST(content, of_a_file_that_has_shrunk_is_cut_off_also_behind_a_filter) {
  run([] {
    const weft_test::scratch_folder folder;
    files::write_file(folder / "text", std::string(10'000, 'x'));
    server serving(on_any_port());
    serving.use(compress());
    serving.get("/x", [&](request& in, response& out) {
      files::file from = files::file::open(folder / "text");
      send_content(in, out, from, 20'000, {.type = "text/plain"});
    });
    serving.start();
    for (const std::string accepted : {"gzip", "identity"}) {
      const std::string request = "GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + accepted + "\r\n\r\n";
      const std::string got = raw_client(serving).ask(request + request);
      EXPECT_EQ(count_of(got, "HTTP/1.1 200 "), 1u) << got;
      EXPECT_EQ(count_of(got, "Content-Encoding: gzip\r\n"), accepted == "gzip" ? 1u : 0u);
      EXPECT_FALSE(got.ends_with("\r\n0\r\n\r\n")) << got;
    }
    serving.stop();
  });
}

TEST(content, answers_as_conditions_and_ranges_want_it) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [](request& in, response& out) {
      send_content(in, out, "0123456789", {.type = "text/plain", .validators = {.tag = entity_tag{"v1"}}});
    });
    serving.start();
    const std::string whole = get(serving, "/x");
    EXPECT_EQ(whole.find("HTTP/1.1 200 OK\r\n"), 0u) << whole;
    EXPECT_EQ(count_of(whole, "ETag: \"v1\"\r\n"), 1u);
    EXPECT_EQ(count_of(whole, "Accept-Ranges: bytes\r\n"), 1u);
    EXPECT_TRUE(whole.ends_with("\r\n\r\n0123456789"));

    const std::string same = get(serving, "/x", "If-None-Match: \"v1\"\r\n");
    EXPECT_EQ(same.find("HTTP/1.1 304 Not Modified\r\n"), 0u) << same;
    EXPECT_EQ(count_of(same, "ETag: \"v1\"\r\n"), 1u);
    EXPECT_EQ(count_of(same, "Content-Length"), 0u);
    EXPECT_EQ(get(serving, "/x", "If-Match: \"v0\"\r\n").find("HTTP/1.1 412 "), 0u);

    const std::string part = get(serving, "/x", "Range: bytes=2-4\r\n");
    EXPECT_EQ(part.find("HTTP/1.1 206 Partial Content\r\n"), 0u) << part;
    EXPECT_EQ(count_of(part, "Content-Range: bytes 2-4/10\r\n"), 1u);
    EXPECT_EQ(count_of(part, "Content-Length: 3\r\n"), 1u);
    EXPECT_TRUE(part.ends_with("\r\n\r\n234"));

    const std::string none = get(serving, "/x", "Range: bytes=10-\r\n");
    EXPECT_EQ(none.find("HTTP/1.1 416 "), 0u) << none;
    EXPECT_EQ(count_of(none, "Content-Range: bytes */10\r\n"), 1u);

    const std::string head = get(serving, "/x", "Range: bytes=2-4\r\n", "HEAD");
    EXPECT_EQ(head.find("HTTP/1.1 200 OK\r\n"), 0u) << head;
    EXPECT_EQ(count_of(head, "Content-Length: 10\r\n"), 1u);
    serving.stop();
  });
}

TEST(content, several_ranges_are_parts_with_a_length_that_fits) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [](request& in, response& out) {
      send_content(in, out, "0123456789", {.type = "text/plain"});
    });
    serving.start();
    const std::string got = get(serving, "/x", "Range: bytes=0-1,5-6,-1\r\n");
    EXPECT_EQ(got.find("HTTP/1.1 206 "), 0u) << got;
    const std::size_t named = got.find("boundary=") + 9;
    const std::string boundary = got.substr(named, got.find("\r\n", named) - named);
    const std::string body = got.substr(got.find("\r\n\r\n") + 4);
    const auto part = [&](const std::string& range, const std::string& bytes) {
      return "--" + boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes " + range +
             "/10\r\n\r\n" + bytes + "\r\n";
    };
    EXPECT_EQ(body, part("0-1", "01") + part("5-6", "56") + part("9-9", "9") + "--" + boundary + "--\r\n");
    EXPECT_EQ(count_of(got, "Content-Length: " + std::to_string(body.size()) + "\r\n"), 1u) << got;
    EXPECT_NE(boundary, [&] {
      const std::string again = get(serving, "/x", "Range: bytes=0-1,5-6\r\n");
      return again.substr(again.find("boundary=") + 9, boundary.size());
    }());
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
