#include <weft/http/compression.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>

#include "http/compression/encoding.hpp"
#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using detail::deflate_format;
using detail::deflater;

std::string text_of(std::size_t bytes) {
  std::string made;
  for (std::size_t i = 0; made.size() < bytes; ++i) made += "line " + std::to_string(i * i % 1009) + "\n";
  made.resize(bytes);
  return made;
}

std::string packed(std::string_view text, deflate_format format = deflate_format::gzip) {
  deflater into(format, 6);
  std::string out;
  into.write(text, deflater::flush::finish, out);
  return out;
}

std::string unpacked(std::string_view bytes, std::string_view encoding = "gzip") {
  content_decoder decoder(encoding, {.bytes_max = 100'000'000, .ratio_max = 2000});
  std::string out;
  decoder.write(bytes, out);
  decoder.finish();
  return out;
}

template <typename Work>
errc code_of(Work&& work) {
  try {
    work();
  } catch (const error& why) {
    return why.code();
  }
  return errc::unknown;
}

TEST(accept_encoding, is_read_with_its_qualities) {
  const auto wants = [](std::string_view text) {
    const auto format = detail::wanted_format(text);
    return format ? detail::name_of(*format) : "";
  };
  EXPECT_EQ(wants(""), "");
  EXPECT_EQ(wants("gzip, deflate, br"), "gzip");
  EXPECT_EQ(wants("deflate"), "deflate");
  EXPECT_EQ(wants("X-GZIP"), "gzip");
  EXPECT_EQ(wants("gzip;q=0.5, deflate;q=0.501"), "deflate");
  EXPECT_EQ(wants("gzip;q=0"), "");
  EXPECT_EQ(wants("gzip;q=0.000, *"), "deflate");
  EXPECT_EQ(wants("*;q=0"), "");
  EXPECT_EQ(wants("*"), "gzip");
  EXPECT_EQ(wants("br, identity;q=1"), "");
  EXPECT_EQ(wants(" deflate ; Q=1 , gzip ; q=0.9"), "deflate");
  for (const char* const bad : {"gzip;q=2", "gzip;q=1.001", "gzip;q=.5", "gzip;q=-1", "gzip;q=", "gzip;r=1",
                                "gz ip", "gzip;q=0.1234", "gzip;q=nan"})
    EXPECT_EQ(wants(bad), "") << bad;
}

TEST(content_decoder, gives_back_what_was_packed_however_it_is_cut) {
  const std::string text = text_of(300'000);
  for (const char* const encoding : {"gzip", "deflate"}) {
    const std::string bytes = packed(text, *detail::format_of(encoding));
    EXPECT_LT(bytes.size(), text.size() / 3);
    EXPECT_TRUE(unpacked(bytes, encoding) == text);
    content_decoder decoder(encoding);
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
      std::string_view piece = std::string_view(bytes).substr(at, 7);
      std::size_t before = out.size();
      while (decoder.write_some(piece, out, 100)) {
        EXPECT_LE(out.size(), before + 100);
        before = out.size();
      }
    }
    decoder.finish();
    EXPECT_TRUE(out == text);
  }
  EXPECT_EQ(unpacked(packed("one,") + packed("") + packed("two")), "one,two");  // members
  EXPECT_NO_THROW(content_decoder("gzip").finish());                            // no body at all
}

TEST(content_decoder, keeps_its_bounds_whatever_comes) {
  const std::string bomb = packed(std::string(10'000'000, '\0'));
  ASSERT_LT(bomb.size(), 20'000u);
  for (const decompression_limits bounds :
       {decompression_limits{.bytes_max = 100'000, .ratio_max = 2000},
        decompression_limits{.bytes_max = 100'000'000, .ratio_max = 100}}) {
    content_decoder decoder("gzip", bounds);
    std::string out;
    EXPECT_EQ(code_of([&] { decoder.write(bomb, out); }), errc::too_large);
    EXPECT_LE(out.size(), std::min(bounds.bytes_max, 64 * 1024 + bomb.size() * bounds.ratio_max));
  }
  const std::string text = text_of(100'000);
  std::string out;
  content_decoder exact("gzip", {.bytes_max = text.size()});
  exact.write(packed(text), out);
  exact.finish();
  EXPECT_TRUE(out == text);
  content_decoder one_less("gzip", {.bytes_max = text.size() - 1});
  EXPECT_EQ(code_of([&] { one_less.write(packed(text), out); }), errc::too_large);
}

TEST(content_decoder, may_have_no_bounds_at_all) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  const std::string text = text_of(300'000);
  content_decoder decoder("gzip", {.bytes_max = most, .ratio_max = most});
  std::string out;
  decoder.write(packed(text), out);
  decoder.finish();
  EXPECT_TRUE(out == text);
}

TEST(content_decoder, refuses_what_is_malformed_or_cut_short) {
  const std::string bytes = packed("some text that is packed");
  std::string out;
  EXPECT_EQ(code_of([&] { content_decoder("gzip").write("plain text", out); }), errc::malformed);
  std::string wrong_sum = bytes;
  wrong_sum[wrong_sum.size() - 6] = static_cast<char>(wrong_sum[wrong_sum.size() - 6] ^ 1);
  EXPECT_EQ(code_of([&] { content_decoder("gzip").write(wrong_sum, out); }), errc::malformed);
  EXPECT_EQ(code_of([&] { content_decoder("gzip").write(bytes + "more", out); }), errc::malformed);
  EXPECT_EQ(code_of([&] {
              content_decoder("deflate").write(
                  packed("a", deflate_format::zlib) + packed("b", deflate_format::zlib), out);
            }),
            errc::malformed);
  EXPECT_EQ(code_of([&] {
              content_decoder cut("gzip");
              cut.write(std::string_view(bytes).substr(0, bytes.size() - 1), out);
              cut.finish();
            }),
            errc::malformed);
  EXPECT_EQ(code_of([] { content_decoder unknown("br"); }), errc::unsupported);
  EXPECT_FALSE(content_decoder::knows("gzip, gzip"));
}

/// Answers of a server that compresses.
class http_compress : public testing::Test {
 protected:
  template <typename Handler>
  static response get(Handler&& handler, std::string accepted = "gzip", compression_options options = {}) {
    response got;
    run([&] {
      server serving(on_any_port());
      serving.use(compress(options)).get("/x", handler);
      serving.start();
      request_options asked;
      if (!accepted.empty()) asked.headers = {{"Accept-Encoding", accepted}};
      got = client(serving.url(), {.decompresses = false}).get("/x", asked);
      serving.stop();
    });
    return got;
  }
};

TEST_F(http_compress, packs_what_the_client_takes) {
  const std::string text = text_of(300'000);
  for (const char* const encoding : {"gzip", "deflate"}) {
    const response got = get([&] { return text; }, encoding);
    EXPECT_EQ(got.header("Content-Encoding"), encoding);
    EXPECT_EQ(got.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(got.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_TRUE(unpacked(got.body(), encoding) == text);
  }
}

TEST_F(http_compress, leaves_alone_what_is_not_to_be_packed) {
  const std::string text = text_of(10'000);
  const auto plain = [&](const response& got, std::optional<std::string_view> varies) {
    EXPECT_EQ(got.header("Vary"), varies);
    return !got.header("Content-Encoding") && got.body() == text;
  };
  const auto with = [&](std::string_view name, std::string_view value) {
    return [&text, name, value](request&, response& out) { out.header(name, value).body(text); };
  };
  EXPECT_TRUE(plain(get([&] { return text; }, ""), "Accept-Encoding"));
  EXPECT_TRUE(plain(get([&] { return text; }, "br"), "Accept-Encoding"));
  EXPECT_TRUE(plain(get([&] { return text; }, "gzip", {.bytes_min = 10'001}), std::nullopt));
  EXPECT_TRUE(plain(get(with("Content-Type", "image/png")), std::nullopt));
  EXPECT_TRUE(plain(get(with("Content-Range", "bytes 0-9999/20000")), std::nullopt));
  EXPECT_TRUE(plain(get(with("Cache-Control", "private, no-transform")), std::nullopt));
  EXPECT_TRUE(plain(get([&](request&, response& out) { out.status(206).body(text); }), std::nullopt));
  EXPECT_EQ(get(with("Content-Encoding", "br")).header("Content-Encoding"), "br");
  EXPECT_EQ(get([](request&, response& out) { out.status(304); }).header("Vary"), std::nullopt);
  EXPECT_THROW(compress({.level = 0}), error);
}

TEST_F(http_compress, leaves_alone_what_does_not_become_smaller) {
  std::string noise;
  std::uint64_t state = 1;
  while (noise.size() < 1000) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    noise += static_cast<char>(state >> 56);
  }
  const response got = get([&] { return noise; });
  EXPECT_EQ(got.header("Content-Encoding"), std::nullopt);
  EXPECT_EQ(got.body(), noise);
}

TEST_F(http_compress, weakens_a_tag_and_keeps_what_varies) {
  const response got = get([](request&, response& out) {
    out.header("ETag", "\"1\"").header("Vary", "Cookie").body(text_of(10'000));
  });
  EXPECT_EQ(got.header("ETag"), "W/\"1\"");
  EXPECT_EQ(got.header("Vary"), "Cookie");  // the first; the other stands beside it
}

TEST_F(http_compress, sends_each_piece_of_a_streamed_body_at_once) {
  run([] {
    event has_first;
    server serving(on_any_port());
    serving.use(compress()).get("/x", [&](request&, response& out) {
      out.content_type("text/event-stream").write("data: first\n\n");
      has_first.wait();
      out.write("data: second\n\n");
    });
    serving.start();
    raw_client asking(serving);
    asking.send("GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    EXPECT_NE(asking.read_until("\r\n\r\n").find("Content-Encoding: gzip"), std::string::npos);
    const std::string size = asking.read_until("\r\n");
    content_decoder decoder("gzip");
    std::string out;
    const std::string chunk = asking.read_until("\r\n");
    EXPECT_EQ(chunk.size(), std::stoul(size, nullptr, 16) + 2);  // as long as no line end is in it
    decoder.write(std::string_view(chunk).substr(0, chunk.size() - 2), out);
    EXPECT_EQ(out, "data: first\n\n");  // while the handler waits
    has_first.set();
    asking.read_to_end();
    serving.stop();
  });
  const response got = get([](request&, response& out) {
    for (int i = 0; i < 100; ++i) out.write(text_of(1000));
  });
  EXPECT_EQ(unpacked(got.body()).size(), 100'000u);
}

std::string hex_of(std::size_t number) {
  std::ostringstream out;
  out << std::hex << number;
  return out.str();
}

/// A server that unpacks and says what it read.
class http_decompress : public testing::Test {
 protected:
  static response post(std::string_view body, std::string encoding, bool streams,
                       decompression_limits bounds = {.bytes_max = 400'000}) {
    response got;
    run([&] {
      server serving(on_any_port());
      serving.use(decompress(bounds))
          .post("/x",
                [streams](request& in) {
                  EXPECT_EQ(in.streams_body(), streams);
                  if (!streams) return std::string(in.body());
                  std::string all;
                  for (std::string_view piece; !(piece = in.read_body()).empty();) {
                    EXPECT_LE(piece.size(), 64u * 1024);
                    all += piece;
                  }
                  return all;
                },
                {.streams_body = streams});
      serving.start();
      request_options asked;
      if (!encoding.empty()) asked.headers = {{"Content-Encoding", encoding}};
      got = client(serving.url()).post("/x", body, asked);
      serving.stop();
    });
    return got;
  }
};

TEST_F(http_decompress, gives_handlers_what_was_meant) {
  const std::string text = text_of(300'000);
  for (const bool streams : {false, true}) {
    EXPECT_TRUE(post(packed(text), "gzip", streams).body() == text);
    EXPECT_TRUE(post(packed(text, deflate_format::zlib), "Deflate", streams).body() == text);
    EXPECT_EQ(post("plain", "", streams).body(), "plain");
    EXPECT_EQ(post("plain", "identity", streams).body(), "plain");
    EXPECT_EQ(post("", "gzip", streams).body(), "");
  }
}

TEST_F(http_decompress, trailers_are_there_behind_what_was_decoded) {
  run([] {
    server serving(on_any_port());
    serving.use(decompress());
    serving.post("/x", [](request& in) {
      return std::string(in.body()) + ' ' + std::string(in.trailer("X-Sum").value_or("none"));
    });
    serving.start();
    const std::string body = packed("text");
    raw_client asking(serving);
    const std::string got = asking.ask(
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" +
        hex_of(body.size()) + "\r\n" + body + "\r\n0\r\nX-Sum: abc\r\n\r\n");
    EXPECT_TRUE(got.ends_with("text abc")) << got;
    serving.stop();
  });
}

TEST_F(http_decompress, refuses_bombs_and_what_it_cannot_read) {
  const std::string bomb = packed(std::string(10'000'000, '\0'));
  for (const bool streams : {false, true}) {
    EXPECT_EQ(post(bomb, "gzip", streams).status(), 413);
    EXPECT_EQ(post(bomb, "gzip", streams, {.bytes_max = 100'000'000, .ratio_max = 100}).status(), 413);
    EXPECT_EQ(post("plain", "gzip", streams).status(), 400);
    EXPECT_EQ(post(packed("text").substr(0, 10), "gzip", streams).status(), 400);
    const response unknown = post("x", "br", streams);
    EXPECT_EQ(unknown.status(), 415);
    EXPECT_EQ(unknown.header("Accept-Encoding"), "gzip, deflate");
    EXPECT_EQ(post("x", "gzip, gzip", streams).status(), 415);
  }
}

}  // namespace
}  // namespace weft::http
