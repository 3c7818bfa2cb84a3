#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/compression.hpp>

#include "http/chars.hpp"
#include "http/compression/encoding.hpp"

namespace weft::inline v1::http {

namespace {

using detail::deflate_format;
using detail::deflater;
using detail::say_that_it_varies;

bool is_of(std::string_view type, std::string_view pattern) noexcept {
  if (!pattern.ends_with('*')) return same_name(type, pattern);
  pattern.remove_suffix(1);
  return same_name(type.substr(0, pattern.size()), pattern);
}

/// May this answer be compressed at all, for whomever?
bool is_compressible(const response& of, const compression_options& options) {
  if (of.status() == 204 || of.status() == 304 || of.status() == 206) return false;
  if (of.header("Content-Encoding") || of.header("Content-Range")) return false;
  if (has_list_token(of.header("Cache-Control").value_or(""), "no-transform")) return false;
  const std::string_view full = of.header("Content-Type").value_or("text/plain");  // as the server says
  const std::string_view type = detail::trim_blanks(full.substr(0, full.find(';')));
  return std::any_of(options.types.begin(), options.types.end(),
                     [&](const std::string& one) { return is_of(type, one); });
}

void say_that_it_is_compressed(response& of, deflate_format format) {
  of.header("Content-Encoding", detail::name_of(format));
  if (const auto tag = of.header("ETag"); tag && tag->starts_with('"'))
    of.header("ETag", "W/" + std::string(*tag));
}

class compressing_filter final : public body_filter {
 public:
  compressing_filter(std::optional<deflate_format> format, const compression_options& options) noexcept
      : format_(format), options_(options) {}

  bool begin(response& head) override {
    if (!is_compressible(head, options_)) return false;
    say_that_it_varies(head);
    if (!format_) return false;
    deflater_.emplace(*format_, options_.level);
    say_that_it_is_compressed(head, *format_);
    return true;
  }
  void write(std::string_view piece, std::string& out) override {
    deflater_->write(piece, deflater::flush::sync, out);
  }
  void end(std::string& out) override { deflater_->write({}, deflater::flush::finish, out); }

 private:
  std::optional<deflate_format> format_;
  const compression_options& options_;
  std::optional<deflater> deflater_;
};

void compress_whole(response& of, deflate_format format, int level) {
  std::string made = detail::packed(of.body(), format, level);
  if (made.size() >= of.body().size()) return;
  if (!of.header("Content-Type")) of.content_type("text/plain; charset=utf-8");
  of.body(std::move(made));
  say_that_it_is_compressed(of, format);
}

}  // namespace

middleware compress(compression_options options) {
  if (options.level < 1 || options.level > 9)
    throw error(errc::invalid_argument,
                "http: compress: the level is 1 to 9, not " + std::to_string(options.level));
  return [kept = std::make_unique<const compression_options>(std::move(options))](request& in, response& out,
                                                                                  next& behind) {
    const auto format = detail::wanted_format(in.header("Accept-Encoding").value_or(""));
    out.filter(std::make_unique<compressing_filter>(format, *kept));
    behind();
    if (out.is_streaming() || out.body().size() < kept->bytes_min || !is_compressible(out, *kept)) return;
    say_that_it_varies(out);
    if (format) compress_whole(out, *format, kept->level);
  };
}

}  // namespace weft::inline v1::http
