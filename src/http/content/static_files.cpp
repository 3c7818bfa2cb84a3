#include <weft/http/static_files.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/http/content.hpp>
#include <weft/http/status_error.hpp>
#include <weft/net/files.hpp>

#include "http/chars.hpp"
#include "http/compression/encoding.hpp"
#include "http/content/folder_listing.hpp"
#include "http/content/open_beneath.hpp"

namespace weft::inline v1::http {

namespace {

constexpr int file_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // a named pipe is not waited for

/// What a request asks for, as far as its text tells.
struct wanted {
  std::string path;  ///< without '/' at either end
  bool names_folder = false;
  bool accepts_brotli = false;
  bool accepts_gzip = false;
};

enum class found_kind : unsigned char { nothing, file, folder_without_slash, listing };

/// What there is.
struct found {
  found_kind kind = found_kind::nothing;
  unique_fd opened = {};
  struct ::stat seen = {};
  std::string name = {};  ///< that says the type
  std::string_view encoding = {};
  detail::folder_listing listing = {};
};

/// A path below the folder has names only; %2f and a backslash are in no name that is served.
bool is_well_formed(const request& in, std::string_view path, bool shows_dot_files) {
  for (std::size_t at = 0; (at = in.path().find('%', at)) != std::string_view::npos; ++at) {
    const std::string_view code = in.path().substr(at, 3);
    if (same_name(code, "%2f") || same_name(code, "%5c")) return false;
  }
  if (path.find('\\') != std::string_view::npos || path.find('\0') != std::string_view::npos) return false;
  if (path.empty()) return true;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (name.front() == '.' && !shows_dot_files) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
    if (path.empty()) return true;
  }
}

bool accepts(const request& in, std::string_view coding) {
  return std::any_of(in.headers().begin(), in.headers().end(), [&](const header& field) {
    return same_name(field.name, "Accept-Encoding") && detail::names_coding(field.value, coding);
  });
}

/// The look-ups of one request, on the pool.
class look_up {
 public:
  look_up(const std::string& folder, const static_options& options) : options_(options) {
    root_ = unique_fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root_) throw system_error("http: open the folder \"" + folder + "\" of static files", errno);
  }

  found find(const wanted& what) {
    if (what.names_folder) return find_in_folder(what);
    found there = open(what.path, what);
    if (there.kind == found_kind::nothing && S_ISDIR(there.seen.st_mode))
      there.kind = found_kind::folder_without_slash;
    return there;
  }

 private:
  /// Opens a file, or what stands beside it for those who accept it. `seen` tells what else is there.
  found open(const std::string& path, const wanted& what) {
    found there = open_one(path);
    if (there.kind != found_kind::file || !options_.has_precompressed) return there;
    const auto instead = [&](const char* ending, std::string_view encoding) {
      found beside = open_one(path + ending);
      if (beside.kind != found_kind::file) return false;
      beside.name = path;
      beside.encoding = encoding;
      there = std::move(beside);
      return true;
    };
    if (what.accepts_brotli && instead(".br", "br")) return there;
    if (what.accepts_gzip) instead(".gz", "gzip");
    return there;
  }

  found open_one(const std::string& path) {
    found there;
    there.opened = detail::open_beneath(root_.get(), path, file_flags, options_.links);
    if (!there.opened) {
      throw_unless_absent(path);
      return there;
    }
    if (::fstat(there.opened.get(), &there.seen) == 0 && S_ISREG(there.seen.st_mode)) {
      there.kind = found_kind::file;
      there.name = path;
    }
    return there;
  }

  found find_in_folder(const wanted& what) {
    const std::string prefix = what.path.empty() ? "" : what.path + '/';
    for (const std::string& index : options_.index) {
      found there = open(prefix + index, what);
      if (there.kind == found_kind::file) return there;
    }
    found there;
    if (!options_.lists_folders) return there;
    unique_fd folder =
        detail::open_beneath(root_.get(), what.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, options_.links);
    if (!folder) {
      throw_unless_absent(what.path);
      return there;
    }
    there.listing = detail::list_folder(std::move(folder), options_.shows_dot_files, options_.listed_max);
    there.kind = found_kind::listing;
    return there;
  }

  /// Of what a client may ask for, errno says only that it is not to be had.
  static void throw_unless_absent(const std::string& path) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO)
      throw system_error("http: open \"" + path + "\"", errno);
  }

  const static_options& options_;
  unique_fd root_;
};

/// The time in nanoseconds, the size and the number: each other content has another one.
entity_tag tag_of(const struct ::stat& seen) {
  constexpr auto append = [](std::string& to, std::uint64_t number) {
    constexpr char digits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (number >> shift != 0 || shift == 0) to += digits[number >> shift & 15];
    }
  };
  entity_tag tag;
  append(tag.text, static_cast<std::uint64_t>(seen.st_mtim.tv_sec) * 1'000'000'000 +
                       static_cast<std::uint64_t>(seen.st_mtim.tv_nsec));
  append(tag.text += '-', static_cast<std::uint64_t>(seen.st_size));
  append(tag.text += '-', seen.st_ino);
  return tag;
}

std::string type_of(const std::string& name, const static_options& options) {
  const std::size_t dot = name.rfind('.');
  const auto own = dot == std::string::npos ? options.types.end() : options.types.find(name.substr(dot + 1));
  return own != options.types.end() ? own->second : std::string(content_type_of(name));
}

/// Relative, so that nothing in the path can be taken for a host.
void redirect_to_folder(const request& in, response& out) {
  const std::string_view name = in.path().substr(in.path().rfind('/') + 1);
  std::string to = "./" + percent_encode(percent_decode(name).value_or("")) + '/';
  if (!in.query_string().empty()) to.append("?").append(in.query_string());
  out.status(308).header("Location", to).body("Permanent Redirect\n");
}

void send_listing(const request& in, response& out, const detail::folder_listing& listed) {
  out.content_type("text/html; charset=utf-8");
  out.header("Content-Security-Policy", "default-src 'none'");
  out.header("X-Content-Type-Options", "nosniff");
  out.body(detail::listing_page(listed, in.path()));
}

void send_file(request& in, response& out, found there, const static_options& options) {
  out.header("X-Content-Type-Options", "nosniff");
  content_options about;
  about.type = type_of(there.name, options);
  about.validators.tag = tag_of(there.seen);
  about.validators.modified = std::chrono::sys_seconds(std::chrono::seconds(there.seen.st_mtim.tv_sec));
  about.encoding = there.encoding;
  about.cache_control = options.cache_control;
  files::file from(std::move(there.opened), std::move(there.name));
  send_content(in, out, from, static_cast<std::uint64_t>(there.seen.st_size), about);
}

}  // namespace

struct static_files::shared {
  std::string folder;
  static_options options;
};

static_files::static_files(std::string folder, static_options options)
    : shared_(std::make_shared<const shared>(shared{std::move(folder), std::move(options)})) {
  look_up(shared_->folder, shared_->options);
}

void static_files::operator()(request& in, response& out) const {
  const static_options& options = shared_->options;
  wanted what{.path = in.param(options.parameter)};
  if (!is_well_formed(in, what.path, options.shows_dot_files)) throw status_error(404, "Not Found");
  if (what.path.empty() && !in.path().ends_with('/'))
    return redirect_to_folder(in, out);  // the route's own path
  what.names_folder = what.path.empty() || what.path.ends_with('/');
  if (what.path.ends_with('/')) what.path.pop_back();
  if (options.has_precompressed) {
    detail::say_that_it_varies(out);
    what.accepts_brotli = accepts(in, "br");
    what.accepts_gzip = accepts(in, "gzip");
  }
  found there = *blocking_until(
      no_deadline, [with = shared_, what] { return look_up(with->folder, with->options).find(what); });
  switch (there.kind) {
    case found_kind::file:
      return send_file(in, out, std::move(there), options);
    case found_kind::listing:
      return send_listing(in, out, there.listing);
    case found_kind::folder_without_slash:
      return redirect_to_folder(in, out);
    default:
      throw status_error(404, "Not Found");
  }
}

}  // namespace weft::inline v1::http
