// Answers that come compressed, and requests that go so.
#include <weft/http/client.hpp>

#include <gtest/gtest.h>

#include <string>

#include <weft/fiber/run.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/server.hpp>

#include "http/compression/encoding.hpp"
#include "http/raw_client.hpp"
#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using detail::deflate_format;

std::string text_of(std::size_t bytes) {
  std::string made;
  for (std::size_t i = 0; made.size() < bytes; ++i) made += "line " + std::to_string(i * i % 1009) + "\n";
  made.resize(bytes);
  return made;
}

std::string rest_of(streamed_response& from) {
  std::string all;
  for (std::string_view piece; !(piece = from.read_body()).empty();) {
    EXPECT_LE(piece.size(), 64u * 1024);
    all += piece;
  }
  return all;
}

/// Answers with `body` as it is, in the encoding that it says it has.
struct encoded_answer {
  std::string encoding;
  std::string body;
  std::string asked = {};  // the Accept-Encoding of the last request

  void serve_on(server& serving) {
    const auto head = [this](request& in, response& out) {
      asked = in.header("Accept-Encoding").value_or("none");
      out.header("Content-Encoding", encoding);
    };
    serving.get("/whole", [this, head](request& in, response& out) {
      head(in, out);
      out.body(body);
    });
    serving.get("/pieces", [this, head](request& in, response& out) {
      head(in, out);
      for (std::size_t at = 0; at < body.size(); at += 1000)
        out.write(std::string_view(body).substr(at, 1000));
    });
    serving.start();
  }
};

TEST(http_client_encoding, answers_are_decoded_whole_and_in_pieces) {
  const std::string text = text_of(500'000);
  for (const auto& [encoding, format] :
       {std::pair("gzip", deflate_format::gzip), std::pair("x-gzip", deflate_format::gzip),
        std::pair("Deflate", deflate_format::zlib)}) {
    run([&] {
      encoded_answer answer{encoding, detail::packed(text, format, 5)};
      server serving(on_any_port());
      answer.serve_on(serving);
      client asking(serving.url());
      for (const char* const target : {"/whole", "/pieces"}) {
        const response got = asking.get(target);
        EXPECT_TRUE(got.body() == text) << encoding << target;
        EXPECT_EQ(got.header("Content-Encoding"), encoding);
        streamed_response streamed = asking.open("GET", target);
        EXPECT_TRUE(rest_of(streamed) == text) << encoding << target;
        EXPECT_EQ(streamed.read_body(), "");
      }
      EXPECT_EQ(asking.get("/whole").header("Content-Length"), std::to_string(answer.body.size()));
      EXPECT_EQ(answer.asked, "gzip, deflate");
      const response head = asking.head("/whole");
      EXPECT_EQ(head.body(), "");
      EXPECT_EQ(head.header("Content-Encoding"), encoding);
      EXPECT_EQ(asking.statistics().connections, 1u);
      serving.stop();
    });
  }
}

TEST(http_client_encoding, who_does_it_himself_gets_what_came) {
  run([] {
    encoded_answer answer{"gzip", detail::packed("text", deflate_format::gzip, 5)};
    server serving(on_any_port());
    answer.serve_on(serving);
    client asking(serving.url());
    EXPECT_EQ(asking.get("/whole", {.headers = {{"accept-encoding", "gzip"}}}).body(), answer.body);
    EXPECT_EQ(answer.asked, "gzip");
    EXPECT_EQ(asking.get("/whole", {.headers = {{"Range", "bytes=0-100"}}}).body(), answer.body);
    EXPECT_EQ(answer.asked, "none");
    client plain(serving.url(), {.decompresses = false});
    EXPECT_EQ(plain.get("/whole").body(), answer.body);
    EXPECT_EQ(answer.asked, "none");
    serving.stop();
  });
}

TEST(http_client_encoding, what_cannot_be_decoded_is_an_error_that_stays) {
  struct bad {
    std::string encoding;
    std::string body;
    errc code;
  };
  const std::string good = detail::packed(text_of(10'000), deflate_format::gzip, 5);
  for (const bad& one :
       {bad{"gzip", "no gzip at all", errc::malformed}, bad{"gzip", good.substr(0, 1000), errc::malformed},
        bad{"deflate", good, errc::malformed}, bad{"gzip", good + "more", errc::malformed},
        bad{"br", "x", errc::unsupported}, bad{"gzip, gzip", good, errc::unsupported}}) {
    SCOPED_TRACE(one.encoding);
    run([&] {
      encoded_answer answer{one.encoding, one.body};
      server serving(on_any_port());
      answer.serve_on(serving);
      client asking(serving.url());
      const std::string said = message_of(one.code, [&] { asking.get("/whole"); });
      EXPECT_TRUE(said.starts_with("http: GET /whole at http://127.0.0.1:")) << said;
      streamed_response streamed = asking.open("GET", "/pieces");
      message_of(one.code, [&] { rest_of(streamed); });
      message_of(one.code, [&] { streamed.read_body(); });
      EXPECT_EQ(asking.head("/whole").status(), 200);  // no body, nothing to decode
      serving.stop();
    });
  }
}

TEST(http_client_encoding, bombs_end_at_a_bound) {
  run([] {
    encoded_answer answer{"gzip", detail::packed(std::string(10'000'000, 'x'), deflate_format::gzip, 9)};
    server serving(on_any_port());
    answer.serve_on(serving);
    message_of(errc::too_large, [&] { client(serving.url()).get("/whole"); });  // the ratio
    client patient(serving.url(), {.limits = {.body_bytes_max = 1'000'000}, .decompression_ratio_max = 2000});
    message_of(errc::too_large, [&] { patient.get("/pieces"); });
    streamed_response streamed = patient.open("GET", "/pieces");  // bounded by who reads
    EXPECT_EQ(rest_of(streamed).size(), 10'000'000u);
    serving.stop();
  });
}

TEST(http_client_encoding, bodies_of_requests_go_in_gzip_where_that_makes_them_smaller) {
  run([] {
    server serving(on_any_port());
    const auto say = [](request& in) {
      std::size_t bytes = 0;
      for (std::string_view piece; !(piece = in.read_body()).empty();) bytes += piece.size();
      return std::string(in.header("Content-Encoding").value_or("plain")) + ' ' + std::to_string(bytes);
    };
    const route_options streams{.streams_body = true, .body_bytes_max = 1 << 20};
    serving.post("/came", say, streams).post("/decoded/x", say, streams);
    serving.post(
        "/moved", [](request&, response& out) { out.status(307).header("Location", "/decoded/x"); }, streams);
    serving.use("/decoded", decompress({.bytes_max = 1 << 20}));
    serving.start();
    const std::string text = text_of(200'000);
    client asking(serving.url(), {.redirects_max = 1});
    const request_options with{.compresses_body = true};
    EXPECT_EQ(asking.post("/decoded/x", text, with).body(), "gzip 200000");
    EXPECT_EQ(asking.post("/moved", text, with).body(), "gzip 200000");
    EXPECT_EQ(asking.post("/came", text).body(), "plain 200000");
    EXPECT_EQ(asking.post("/came", "few", with).body(), "plain 3");
    EXPECT_EQ(asking.post("/came", "", with).body(), "plain 0");
    const std::string sent = asking.post("/came", text, with).body();
    EXPECT_LT(std::stoul(sent.substr(sent.find(' '))), 50'000u) << sent;
    std::size_t at = 0;
    streamed_response uploaded = asking.upload(
        "POST", "/decoded/x",
        [&]() -> std::string_view {
          const std::string_view piece = std::string_view(text).substr(std::min(at, text.size()), 7000);
          at += piece.size();
          return piece;
        },
        with);
    EXPECT_EQ(rest_of(uploaded), "gzip 200000");
    message_of(errc::invalid_argument, [&] {
      asking.post("/came", text, {.headers = {{"Content-Encoding", "br"}}, .compresses_body = true});
    });
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
