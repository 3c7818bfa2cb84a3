#include <weft/http/static_files.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/content.hpp>
#include <weft/http/server.hpp>
#include <weft/net/files.hpp>

#include "http/content/open_beneath.hpp"
#include "http/raw_client.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr auto quickly = files::write_options{.durability = files::durability::none};

constexpr const char* not_to_be_had = "kept beside the site";

/// A folder "site" to be served, with things beside it that must not be had.
struct site {
  weft_test::scratch_folder scratch;
  std::string root = scratch / "site";
  site() {
    files::make_folder(root + "/sub", files::parents::make);
    files::make_folder(root + "/empty");
    add("site/index.html", "<p>home</p>");
    add("site/a.txt", "a text");
    add("site/sub/b.css", "b {}");
    add("site/.hidden", "hidden");
    files::make_folder(root + "/.git");
    add("site/.git/config", "hidden too");
    add("secret", not_to_be_had);
    EXPECT_EQ(::symlink("../secret", (root + "/out").c_str()), 0);
    EXPECT_EQ(::symlink((scratch / "secret").c_str(), (root + "/absolute").c_str()), 0);
    EXPECT_EQ(::symlink("a.txt", (root + "/in").c_str()), 0);
    EXPECT_EQ(::symlink("/", (root + "/sub/top").c_str()), 0);
    EXPECT_EQ(::mkfifo((root + "/pipe").c_str(), 0600), 0);
  }
  void add(const std::string& name, const std::string& content) const {
    files::write_file(scratch / name, content, quickly);
  }
};

/// Serves the site at /s/ while `body` asks.
template <typename Body>
void with_site(static_options options, Body body) {
  run([&] {
    const site there;
    server serving(on_any_port());
    serving.get("/s/{path...}", static_files(there.root, std::move(options)));
    serving.start();
    body(serving, there);
    serving.stop();
  });
}

std::string get(const server& from, const std::string& target, const std::string& more = {}) {
  return raw_client(from).ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n");
}

TEST(static_files, are_sent_with_type_tag_time_and_length) {
  with_site({.cache_control = "max-age=60", .types = {{"odd", "x/odd"}}},
            [](server& serving, const site& there) {
              there.add("site/c.odd", "c");
              there.add("site/none", "");
              client asking(serving.url());
              const response text = asking.get("/s/a.txt");
              EXPECT_EQ(text.status(), 200);
              EXPECT_EQ(text.body(), "a text");
              EXPECT_EQ(text.header("Content-Type"), "text/plain; charset=utf-8");
              EXPECT_EQ(text.header("Cache-Control"), "max-age=60");
              EXPECT_EQ(text.header("X-Content-Type-Options"), "nosniff");
              EXPECT_EQ(text.header("Content-Length"), "6");
              EXPECT_TRUE(text.header("ETag") && text.header("Last-Modified"));
              EXPECT_EQ(asking.get("/s/sub/b.css").header("Content-Type"), "text/css; charset=utf-8");
              EXPECT_EQ(asking.get("/s/c.odd").header("Content-Type"), "x/odd");
              EXPECT_EQ(asking.get("/s/none").status(), 200);
              EXPECT_EQ(asking.get("/s/none").body(), "");
              EXPECT_EQ(asking.get("/s/").body(), "<p>home</p>");
              EXPECT_EQ(asking.get("/s/sub/").status(), 404);  // no index, and nothing is listed
              EXPECT_EQ(asking.head("/s/a.txt").header("Content-Length"), "6");
              EXPECT_EQ(asking.post("/s/a.txt", "x").status(), 405);
              EXPECT_EQ(asking.statistics().connections, 1u);
            });
}

TEST(static_files, obey_conditions_and_ranges) {
  with_site({}, [](server& serving, const site& there) {
    client asking(serving.url());
    const response first = asking.get("/s/a.txt");
    const std::string tag(*first.header("ETag"));
    EXPECT_EQ(asking.get("/s/a.txt", {.headers = {{"If-None-Match", tag}}}).status(), 304);
    EXPECT_EQ(asking
                  .get("/s/a.txt",
                       {.headers = {{"If-Modified-Since", std::string(*first.header("Last-Modified"))}}})
                  .status(),
              304);
    const response part = asking.get("/s/a.txt", {.headers = {{"Range", "bytes=2-"}, {"If-Range", tag}}});
    EXPECT_EQ(part.status(), 206);
    EXPECT_EQ(part.body(), "text");
    EXPECT_EQ(asking.get("/s/a.txt", {.headers = {{"Range", "bytes=6-"}}}).status(), 416);
    there.add("site/a.txt", "b text");  // the same size, perhaps the same second
    const response changed = asking.get("/s/a.txt", {.headers = {{"If-None-Match", tag}}});
    EXPECT_EQ(changed.status(), 200);
    EXPECT_EQ(changed.body(), "b text");
    EXPECT_EQ(asking.get("/s/a.txt", {.headers = {{"Range", "bytes=2-"}, {"If-Range", tag}}}).status(), 200);
  });
}

TEST(static_files, nothing_outside_and_nothing_hidden_can_be_had) {
  for (const served_links links : {served_links::none, served_links::within}) {
    with_site({.links = links}, [&](server& serving, const site&) {
      for (const std::string path : {"../secret",
                                     "sub/../../secret",
                                     "%2e%2e/secret",
                                     "%2e%2e%2fsecret",
                                     "..%2fsecret",
                                     "..%5csecret",
                                     "..\\secret",
                                     ".%2e/secret",
                                     "sub/..%2f..%2fsecret",
                                     "/etc/passwd",
                                     "//etc/passwd",
                                     "%2fetc%2fpasswd",
                                     "out",
                                     "absolute",
                                     "sub/top/etc/passwd",
                                     "sub/top/",
                                     "./a.txt",
                                     "sub/./b.css",
                                     "sub//b.css",
                                     "sub/../a.txt",
                                     ".hidden",
                                     ".git/config",
                                     "%2egit/config",
                                     ".git/",
                                     "a.txt/",
                                     "a.txt/x",
                                     "pipe",
                                     "none",
                                     "a.txt%20",
                                     "%252e%252e/secret",
                                     "a.txt::$DATA",
                                     "a%2ftxt",
                                     "sub%2fb.css",
                                     "..",
                                     ".",
                                     "%2e%2e",
                                     "sub/%2e%2e/",
                                     "....//secret",
                                     "..;/secret"}) {
        const std::string got = get(serving, "/s/" + path);
        EXPECT_EQ(got.find("HTTP/1.1 404 "), 0u) << path << '\n' << got;
        EXPECT_FALSE(has_text(got, not_to_be_had) || has_text(got, "hidden") || has_text(got, "root:"))
            << path;
      }
      for (const std::string path : {"a.txt%00", "a%00.txt", "%00", "%zz", "%"}) {
        const std::string got = get(serving, "/s/" + path);
        EXPECT_EQ(got.find("HTTP/1.1 400 "), 0u) << path << '\n' << got;
      }
      EXPECT_EQ(get(serving, "/s/in").find(links == served_links::none ? "HTTP/1.1 404 " : "HTTP/1.1 200 "),
                0u);
      EXPECT_EQ(get(serving, "/s/" + std::string(300, 'x')).find("HTTP/1.1 404 "), 0u);
    });
  }
}

TEST(static_files, dot_files_are_sent_where_that_is_wanted) {
  with_site({.shows_dot_files = true}, [](server& serving, const site&) {
    client asking(serving.url());
    EXPECT_EQ(asking.get("/s/.git/config").body(), "hidden too");
    EXPECT_EQ(asking.get("/s/../secret").status(), 404);
  });
}

TEST(static_files, a_folder_without_its_slash_is_redirected_within_the_site) {
  with_site({}, [](server& serving, const site& there) {
    files::make_folder(there.root + "/a:b c");
    client asking(serving.url());
    const response got = asking.get("/s/sub?x=1");
    EXPECT_EQ(got.status(), 308);
    EXPECT_EQ(got.header("Location"), "./sub/?x=1");
    EXPECT_EQ(asking.get("/s/a:b%20c").header("Location"), "./a%3Ab%20c/");
    EXPECT_EQ(asking.get("/s").header("Location"), "./s/");
  });
}

TEST(static_files, a_page_of_a_folder_escapes_what_it_shows) {
  with_site({.index = {}, .lists_folders = true, .listed_max = 4}, [](server& serving, const site& there) {
    there.add("site/sub/<script>alert(1)<", "x");
    there.add("site/sub/a&b \"c\"'d'", "x");
    there.add("site/sub/javascript:x", "x");
    files::make_folder(there.root + "/sub/deeper");
    files::remove(there.root + "/sub/b.css");
    client asking(serving.url());
    const response got = asking.get("/s/sub/");
    EXPECT_EQ(got.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(got.header("Content-Security-Policy"), "default-src 'none'");
    const std::string& page = got.body();
    EXPECT_TRUE(has_text(page, "<a href=\"./%3Cscript%3Ealert%281%29%3C\">&lt;script&gt;alert(1)&lt;</a>"))
        << page;
    EXPECT_TRUE(has_text(page, ">a&amp;b &quot;c&quot;&#39;d&#39;</a>")) << page;
    EXPECT_TRUE(has_text(page, "<a href=\"./javascript%3Ax\">")) << page;
    EXPECT_TRUE(has_text(page, "<a href=\"./deeper/\">deeper/</a>")) << page;
    EXPECT_FALSE(has_text(page, "top")) << page;
    EXPECT_FALSE(has_text(page, "There is more")) << page;
    there.add("site/sub/fifth", "x");
    EXPECT_TRUE(has_text(asking.get("/s/sub/").body(), "There is more"));
    const std::string top = asking.get("/s/").body();
    EXPECT_FALSE(has_text(top, "hidden") || has_text(top, "pipe") || has_text(top, "absolute")) << top;
  });
}

TEST(static_files, compressed_siblings_are_for_those_who_accept_them) {
  with_site({.has_precompressed = true}, [](server& serving, const site& there) {
    there.add("site/a.txt.gz", "as gzip");
    there.add("site/a.txt.br", "as brotli");
    there.add("site/sub/b.css.gz", "b as gzip");
    client asking(serving.url(), {.decompresses = false});
    const auto get_with = [&](const char* path, const char* accepted) {
      return asking.get(path, {.headers = {{"Accept-Encoding", accepted}}});
    };
    const response best = get_with("/s/a.txt", "gzip, deflate, br");
    EXPECT_EQ(best.body(), "as brotli");
    EXPECT_EQ(best.header("Content-Encoding"), "br");
    EXPECT_EQ(best.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(best.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(get_with("/s/a.txt", "br;q=0, gzip;q=0.5").header("Content-Encoding"), "gzip");
    EXPECT_EQ(get_with("/s/a.txt", "br;q=0.000, gzip; q=0").body(), "a text");
    EXPECT_EQ(get_with("/s/sub/b.css", "br, gzip").body(), "b as gzip");
    const response plain = asking.get("/s/a.txt");
    EXPECT_EQ(plain.body(), "a text");
    EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
    EXPECT_NE(plain.header("ETag"), best.header("ETag"));
    EXPECT_EQ(asking.get("/s/a.txt.gz").body(), "as gzip");
  });
}

TEST(static_files, what_is_encoded_says_so_with_its_bytes_only) {
  with_site({.cache_control = "max-age=60", .has_precompressed = true},
            [](server& serving, const site& there) {
              there.add("site/a.txt.gz", "as gzip");
              client asking(serving.url());
              const auto ask = [&](const std::string& name, const std::string& value) {
                return asking.get("/s/a.txt", {.headers = {{"Accept-Encoding", "gzip"}, {name, value}}});
              };
              const response whole = ask("X-Nothing", "");
              EXPECT_EQ(whole.header("Content-Encoding"), "gzip");
              const std::string tag(*whole.header("ETag"));
              for (const response& got : {ask("If-Match", "\"other\""), ask("Range", "bytes=100-")}) {
                EXPECT_TRUE(got.status() == 412 || got.status() == 416);
                EXPECT_FALSE(got.header("Content-Encoding")) << got.status();
                EXPECT_FALSE(got.header("Cache-Control")) << got.status();
                EXPECT_EQ(got.header("Vary"), "Accept-Encoding");
              }
              const response same = ask("If-None-Match", tag);
              EXPECT_EQ(same.status(), 304);
              EXPECT_EQ(same.header("Cache-Control"), "max-age=60");
              EXPECT_FALSE(same.header("Content-Encoding"));
              const response part = ask("Range", "bytes=3-");
              EXPECT_EQ(part.status(), 206);
              EXPECT_EQ(part.body(), "gzip");
              EXPECT_EQ(part.header("Content-Encoding"), "gzip");
              EXPECT_EQ(part.header("Cache-Control"), "max-age=60");
              EXPECT_EQ(ask("Range", "bytes=0-1,3-4").status(), 200);  // no parts of encoded bytes
            });
}

TEST(static_files, keep_what_was_said_before_of_caches) {
  run([] {
    const site there;
    server serving(on_any_port());
    serving.use([](request&, response& out, next& behind) {
      out.header("Vary", "Origin");
      behind();
    });
    serving.get("/s/{path...}", static_files(there.root, {.has_precompressed = true}));
    serving.start();
    const std::string got = get(serving, "/s/a.txt");
    EXPECT_TRUE(has_text(got, "\r\nVary: Origin\r\n")) << got;
    EXPECT_TRUE(has_text(got, "\r\nVary: Accept-Encoding\r\n")) << got;
    serving.stop();
  });
}

/// More than the buffers between two ends take.
constexpr std::size_t very_large = 24'000'000;

TEST(static_files, take_longer_than_a_handler_may) {
  run([] {
    constexpr auto bound = 400ms;
    const site there;
    there.add("site/large.bin", "");
    ASSERT_EQ(::truncate((there.root + "/large.bin").c_str(), very_large), 0);
    server serving({.listen = "127.0.0.1:0", .handler_timeout = bound});
    serving.get("/s/{path...}", static_files(there.root));
    serving.start();
    const auto head_of = [&](raw_client& from) {
      from.send("GET /s/large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      return from.read_until("\r\n\r\n");
    };
    std::optional<raw_client> reading;
    do {
      reading.emplace(serving);
    } while (head_of(*reading).starts_with("HTTP/1.1 503 "));  // a slow machine: it had not begun
    sleep_for(bound);
    EXPECT_EQ(reading->read_to_end().size(), very_large);
    serving.stop();
  });
}

TEST(static_files, obey_the_stop_and_bounds_within_the_handler_when_nobody_reads) {
  run([] {
    const site there;
    there.add("site/large.bin", "");
    ASSERT_EQ(::truncate((there.root + "/large.bin").c_str(), very_large), 0);
    server serving({.listen = "127.0.0.1:0", .write_timeout = 0ms});
    serving.get("/s/{path...}", static_files(there.root));
    event ended;
    serving.get("/bounded", [&](request& in, response& out) {
      files::file from = files::file::open(there.root + "/large.bin");
      EXPECT_THROW(with_timeout(20ms, [&] { send_content(in, out, from, very_large); }), deadline_exceeded);
      ended.set();
    });
    serving.start();
    raw_client unread(serving);
    unread.send("GET /bounded HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(ended.wait_for(20s));
    raw_client downloading(serving);
    downloading.send("GET /s/large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    downloading.read_until("\r\n\r\n");
    EXPECT_FALSE(serving.stop(10ms));
  });
}

TEST(static_files, a_large_file_arrives_whole_and_the_folder_may_be_replaced) {
  with_site({}, [](server& serving, const site& there) {
    std::string large;
    while (large.size() < 3'000'000) large += std::to_string(large.size()) + '\n';
    there.add("site/large.bin", large);
    client asking(serving.url());
    EXPECT_TRUE(asking.get("/s/large.bin").body() == large);
    files::rename(there.root, there.scratch / "former");
    EXPECT_EQ(asking.get("/s/a.txt").status(), 500);
    files::make_folder(there.root);
    there.add("site/a.txt", "of the next site");
    EXPECT_EQ(asking.get("/s/a.txt").body(), "of the next site");
  });
}

TEST(static_files, a_folder_that_is_not_there_is_an_error_at_once) {
  message_of(errc::not_found, [] { static_files("/nowhere/at/all"); });
}

TEST(open_beneath, both_ways_of_looking_up_stay_below_the_folder) {
  run([] {
    const site there;
    const unique_fd root(::open(there.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const auto how : {detail::looked_up_by::kernel, detail::looked_up_by::names}) {
      const auto opens = [&](const std::string& path, served_links links = served_links::none) {
        return static_cast<bool>(
            detail::open_beneath(root.get(), path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, links, how));
      };
      EXPECT_TRUE(opens("a.txt"));
      EXPECT_TRUE(opens("sub/b.css"));
      EXPECT_TRUE(opens(""));
      EXPECT_FALSE(opens("out"));
      EXPECT_FALSE(opens("absolute"));
      EXPECT_FALSE(opens("in"));
      EXPECT_FALSE(opens("sub/top/etc/passwd"));
      EXPECT_FALSE(opens("out", served_links::within));
      EXPECT_FALSE(opens("absolute", served_links::within));
      EXPECT_FALSE(opens("sub/top", served_links::within));
      EXPECT_FALSE(opens("none/x"));
    }
    EXPECT_TRUE(detail::open_beneath(root.get(), "in", O_RDONLY | O_CLOEXEC, served_links::within));
  });
}

}  // namespace
}  // namespace weft::http
