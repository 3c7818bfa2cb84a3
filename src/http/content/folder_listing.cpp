#include "http/content/folder_listing.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/http/request.hpp>
#include <weft/net/open_folder.hpp>

namespace weft::inline v1::http::detail {

namespace {

/// Text between tags; bytes that are not UTF-8 are the browser's to show.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char one : text) {
    switch (one) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(one) < 0x20 ? ' ' : one;
    }
  }
  return out;
}

/// A reference to a name in the same folder; one with a colon would be taken for a scheme without "./".
std::string reference_to(std::string_view name) {
  const bool is_folder = name.ends_with('/');
  return "./" + percent_encode(is_folder ? name.substr(0, name.size() - 1) : name) + (is_folder ? "/" : "");
}

}  // namespace

folder_listing list_folder(unique_fd folder, bool shows_dot_files, std::size_t names_max) {
  const files::detail::open_folder opened(::fdopendir(folder.get()));
  if (opened == nullptr) throw system_error("http: list a folder", errno);
  const int at = folder.release();
  folder_listing listed;
  while (const dirent* const one = ::readdir(opened.get())) {  // NOLINT(concurrency-mt-unsafe): our own
    const std::string_view name = one->d_name;
    if (name == "." || name == ".." || (name.front() == '.' && !shows_dot_files)) continue;
    struct ::stat seen {};
    if (::fstatat(at, one->d_name, &seen, AT_SYMLINK_NOFOLLOW) != 0) continue;  // it has gone
    if (!S_ISREG(seen.st_mode) && !S_ISDIR(seen.st_mode)) continue;
    if (listed.names.size() >= names_max) {
      listed.is_cut = true;
      break;
    }
    listed.names.push_back(std::string(name) + (S_ISDIR(seen.st_mode) ? "/" : ""));
  }
  std::sort(listed.names.begin(), listed.names.end());
  return listed;
}

std::string listing_page(const folder_listing& listed, std::string_view path) {
  const std::string title = escaped(percent_decode(path).value_or(std::string(path)));
  std::string page = "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>" + title +
                     "</title></head>\n<body><h1>" + title + "</h1>\n<ul>\n<li><a href=\"../\">..</a></li>\n";
  for (const std::string& name : listed.names) {
    page += "<li><a href=\"" + reference_to(name) + "\">" + escaped(name) + "</a></li>\n";
  }
  page += "</ul>\n";
  if (listed.is_cut) page += "<p>There is more.</p>\n";
  return page + "</body></html>\n";
}

}  // namespace weft::inline v1::http::detail
