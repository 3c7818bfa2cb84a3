#include <weft/http/content.hpp>

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/http/ranges.hpp>
#include <weft/net/files.hpp>
#include <weft/wire/random.hpp>

#include "http/http_date.hpp"

namespace weft::inline v1::http {

namespace {

/// Where the bytes come from.
class content_source {
 public:
  virtual std::uint64_t size() const = 0;
  virtual void send(response& out, std::uint64_t first, std::uint64_t bytes) = 0;

 protected:
  ~content_source() = default;
};

class text_source final : public content_source {
 public:
  explicit text_source(std::string_view bytes) noexcept : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void send(response& out, std::uint64_t first, std::uint64_t bytes) override {
    out.write(bytes_.substr(first, bytes));
  }

 private:
  std::string_view bytes_;
};

class file_source final : public content_source {
 public:
  file_source(files::file& from, std::uint64_t bytes) noexcept : from_(from), bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_; }
  /// An answer that has begun is cut off by what is thrown, also where a filter would end it well.
  void send(response& out, std::uint64_t first, std::uint64_t bytes) override {
    if (!out.send_file(from_, first, bytes))
      throw error(errc::unavailable, "http: send a file: it has become shorter meanwhile");
  }

 private:
  files::file& from_;
  std::uint64_t bytes_;
};

std::string range_text(const byte_range& one, std::uint64_t size) {
  return "bytes " + std::to_string(one.first) + '-' + std::to_string(one.first + one.bytes - 1) + '/' +
         std::to_string(size);
}

/// A line between parts that no content has by chance, and that nobody can foresee.
std::string make_boundary() {
  constexpr char letters[] = "0123456789abcdefghijklmnopqrstuv";
  std::byte bytes[30];
  wire::fill_random(bytes);
  std::string line = "weft-";
  for (const std::byte byte : bytes) line += letters[std::to_integer<unsigned>(byte) & 31];
  return line;
}

/// multipart/byteranges, with a length that is known before.
void send_parts(response& out, content_source& from, const std::vector<byte_range>& ranges,
                const std::string& type) {
  const std::string boundary = make_boundary();
  std::vector<std::string> heads;
  const std::string end = "\r\n--" + boundary + "--\r\n";
  std::uint64_t length = end.size();
  for (const byte_range& one : ranges) {
    std::string& head = heads.emplace_back(heads.empty() ? "--" : "\r\n--");
    head += boundary + "\r\n";
    if (!type.empty()) head += "Content-Type: " + type + "\r\n";
    head += "Content-Range: " + range_text(one, from.size()) + "\r\n\r\n";
    length += head.size() + one.bytes;
  }
  out.content_type("multipart/byteranges; boundary=" + boundary).length(length);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    out.write(heads[i]);
    from.send(out, ranges[i].first, ranges[i].bytes);
  }
  out.write(end);
}

/// What there is to say before the body; true if all of the content shall follow.
bool begin(request& in, response& out, content_source& from, const content_options& options) {
  const validators& now = options.validators;
  if (now.tag) out.header("ETag", to_string(*now.tag));
  if (now.modified) out.header("Last-Modified", detail::http_date(*now.modified));
  const auto say_how_long = [&] {
    if (!options.cache_control.empty()) out.header("Cache-Control", options.cache_control);
  };
  switch (check_preconditions(in, now)) {
    case precondition::not_modified:
      out.status(304);
      say_how_long();
      return false;
    case precondition::failed:
      out.status(412).body("Precondition Failed\n");
      return false;
    default:
      out.header("Accept-Ranges", "bytes");
  }
  // Parts of encoded bytes within a body that is not encoded are more than clients understand.
  const std::size_t ranges_max =
      options.encoding.empty() ? options.ranges_max : std::min<std::size_t>(options.ranges_max, 1);
  const chosen_ranges chosen = choose_ranges(in, now, from.size(), ranges_max);
  if (chosen.outcome == range_outcome::unsatisfiable) {
    out.status(416).header("Content-Range", "bytes */" + std::to_string(from.size()));
    out.body("Range Not Satisfiable\n");
    return false;
  }
  say_how_long();
  if (!options.encoding.empty()) out.header("Content-Encoding", options.encoding);
  if (chosen.outcome == range_outcome::partial && chosen.ranges.size() > 1) {
    send_parts(out.status(206), from, chosen.ranges, options.type);
    return false;
  }
  if (!options.type.empty()) out.content_type(options.type);
  if (chosen.outcome == range_outcome::whole) return true;
  const byte_range& only = chosen.ranges.front();
  out.status(206).header("Content-Range", range_text(only, from.size())).length(only.bytes);
  from.send(out, only.first, only.bytes);
  return false;
}

}  // namespace

void send_content(request& in, response& out, std::string_view bytes, const content_options& options) {
  text_source from(bytes);
  if (begin(in, out, from, options)) out.body(bytes);
}

void send_content(request& in, response& out, files::file& file, std::uint64_t bytes,
                  const content_options& options) {
  file_source from(file, bytes);
  if (!begin(in, out, from, options)) return;
  out.length(bytes);
  if (bytes > 0) from.send(out, 0, bytes);
}

}  // namespace weft::inline v1::http
