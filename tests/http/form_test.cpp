#include <weft/http/form.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/multipart.hpp>
#include <weft/http/server.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

namespace fs = std::filesystem;

/// A folder that is gone behind the test.
class test_folder {
 public:
  test_folder() {
    std::string name = (fs::temp_directory_path() / "weft-form-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw system_error("mkdtemp", errno);
    path_ = name;
  }
  test_folder(const test_folder&) = delete;
  test_folder& operator=(const test_folder&) = delete;
  ~test_folder() { fs::remove_all(path_); }

  std::string path() const { return path_.string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string part(std::string_view disposition, std::string_view value) {
  return "--b\r\nContent-Disposition: form-data; " + std::string(disposition) +
         "\r\nContent-Type: text/plain\r\n\r\n" + std::string(value) + "\r\n";
}

std::string post(std::string_view type, std::string_view body) {
  return "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string multipart_post(std::string_view parts) {
  return post("multipart/form-data; boundary=b", std::string(parts) + "--b--\r\n");
}

/// What comes back from a server whose POST /x is `handler`, with its whole body and with one that streams.
template <typename Handler>
void ask(std::string_view request, Handler&& handler, const std::function<void(const std::string&)>& check) {
  for (const bool streams : {false, true}) {
    SCOPED_TRACE(streams ? "streamed" : "whole");
    run([&] {
      server serving(on_any_port());
      serving.post("/x", handler, {.streams_body = streams, .body_bytes_max = 64 * 1024 * 1024});
      serving.start();
      raw_client asking(serving);
      check(asking.ask(request));
      serving.stop();
    });
  }
}

bool answers(const std::string& got, int status, std::string_view text = {}) {
  return got.starts_with("HTTP/1.1 " + std::to_string(status)) && got.find(text) != std::string::npos;
}

TEST(http_form, of_both_encodings_has_the_same_fields) {
  const auto handler = [](request& in) {
    const form sent = in.form();
    return std::string(sent.fields.first("a").value_or("none")) + "/" + std::to_string(sent.fields.size());
  };
  ask(post("application/x-www-form-urlencoded; charset=utf-8", "a=1+2&b=3"), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 200, "1 2/2")) << got; });
  ask(multipart_post(part("name=a", "1 2") + part("name=b", "3")), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 200, "1 2/2")) << got; });
  ask(post("application/json", "{}"), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 415)) << got; });
  ask(post("multipart/form-data", "--b--\r\n"), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 400)) << got; });
  ask(post("multipart/form-data; boundary=b", part("name=a", "1")), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 400, "before its last boundary")) << got; });
  ask(post("multipart/form-data; boundary=b", part("name=a", "1") + "--b--\r\nmore"), handler,
      [](const std::string& got) { EXPECT_TRUE(answers(got, 400, "behind its end")) << got; });
}

TEST(http_form, writes_files_to_the_folder_and_deletes_them_with_itself) {
  const test_folder folder;
  std::string big(3'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); i += 7) big[i] = static_cast<char>(i % 251);
  ask(
      multipart_post(part("name=f; filename=\"../../etc/passwd\"", big) + part("name=a", "1") +
                     part("name=empty; filename=e", "") + part("name=none; filename=\"\"", "")),
      [&](request& in) {
        const form sent = in.form({.folder = folder.path()});
        EXPECT_EQ(sent.files.size(), 2u);
        EXPECT_EQ(folder.files(), 2u);
        const uploaded_file* const file = sent.file("f");
        EXPECT_EQ(file->file_name(), "../../etc/passwd");
        EXPECT_EQ(fs::path(file->path()).parent_path(), folder.path());
        EXPECT_EQ(file->content_type(), "text/plain");
        EXPECT_EQ(file->size(), big.size());
        EXPECT_TRUE(file->contents() == big);
        EXPECT_EQ(sent.file("empty")->size(), 0u);
        EXPECT_EQ(sent.file("none"), nullptr);
        return "ok";
      },
      [&](const std::string& got) {
        EXPECT_TRUE(answers(got, 200, "ok")) << got;
        EXPECT_EQ(folder.files(), 0u);
      });
}

TEST(http_form, keeps_files_in_memory_without_a_folder) {
  ask(
      multipart_post(part("name=f; filename=x", "some bytes")),
      [](request& in) {
        const form sent = in.form();
        EXPECT_EQ(sent.file("f")->path(), "");
        return sent.file("f")->contents();
      },
      [](const std::string& got) { EXPECT_TRUE(answers(got, 200, "some bytes")) << got; });
}

TEST(http_form, saves_a_file_under_a_name_of_the_programs) {
  const test_folder folder;
  const std::string name = folder.path() + "/kept";
  for (const bool on_disk : {false, true}) {
    ask(
        multipart_post(part("name=f; filename=x", "some bytes")),
        [&](request& in) {
          form sent = in.form({.folder = on_disk ? folder.path() : ""});
          sent.file("f")->save_as(name);
          EXPECT_THROW(sent.file("f")->save_as(folder.path() + "/no/such/folder"), error);
          return sent.file("f")->contents();
        },
        [&](const std::string& got) {
          EXPECT_TRUE(answers(got, 200, "some bytes")) << got;
          EXPECT_EQ(contents_of(name), "some bytes");
          EXPECT_EQ(folder.files(), 1u);
        });
    fs::remove(name);
  }
}

TEST(http_form, that_passes_a_bound_is_refused_and_leaves_no_file) {
  const test_folder folder;
  const auto refused = [&](std::string_view message, form_options bounds) {
    ask(
        message,
        [&](request& in) {
          const form sent = in.form(bounds);
          return "accepted";
        },
        [&](const std::string& got) {
          EXPECT_TRUE(answers(got, 413)) << got;
          EXPECT_EQ(folder.files(), 0u);
        });
  };
  const std::string file = part("name=f; filename=x", "0123456789");
  refused(multipart_post(file), {.file_bytes_max = 9, .folder = folder.path()});
  refused(multipart_post(file), {.file_bytes_max = 9});
  refused(multipart_post(file), {.memory_bytes_max = 9});
  refused(multipart_post(file + file), {.files_max = 1, .folder = folder.path()});
  refused(multipart_post(file + file), {.files_max = 1});
  refused(multipart_post(part("name=a", "1") + part("name=b", "2")),
          {.fields_max = 1, .folder = folder.path()});
  refused(multipart_post(file + part("name=a", "0123456789")),
          {.field_bytes_max = 10, .folder = folder.path()});
  refused(multipart_post(part("name=a", "1234") + part("name=a", "1234")), {.memory_bytes_max = 9});
  refused(post("application/x-www-form-urlencoded", "a=0123456789"), {.memory_bytes_max = 9});
}

TEST(http_form, whose_folder_fails_says_so) {
  ask(
      multipart_post(part("name=f; filename=x", "some bytes")),
      [](request& in) {
        const form sent = in.form({.folder = "/no/such/folder"});
        return "accepted";
      },
      [](const std::string& got) { EXPECT_TRUE(answers(got, 500)) << got; });
}

TEST(http_multipart_reader, gives_parts_one_by_one_and_skips_what_is_not_read) {
  const std::string big(200'000, 'x');
  ask(
      multipart_post(part("name=a; filename=x", big) + part("name=b", "2") + part("name=c", "3")),
      [&](request& in) {
        multipart_reader parts(in);
        EXPECT_EQ(parts.read(), "");
        EXPECT_EQ(parts.next()->file_name, "x");
        EXPECT_FALSE(parts.read().empty());
        EXPECT_EQ(parts.next()->name, "b");
        EXPECT_EQ(parts.next()->name, "c");
        EXPECT_EQ(parts.read(), "3");
        EXPECT_EQ(parts.read(), "");
        EXPECT_EQ(parts.read(), "");
        EXPECT_EQ(parts.next(), nullptr);
        EXPECT_EQ(parts.next(), nullptr);
        return "ok";
      },
      [](const std::string& got) { EXPECT_TRUE(answers(got, 200, "ok")) << got; });
}

}  // namespace
}  // namespace weft::http
