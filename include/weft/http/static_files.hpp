#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

namespace weft::inline v1::http {

/// What becomes of symbolic links below a folder that is served.
enum class served_links : unsigned char {
  none,    ///< as if they were not there
  within,  ///< followed as long as they stay below the folder; needs Linux 5.6, otherwise as none
};

struct static_options {
  std::string parameter = "path";                   ///< of the route: `{path...}`
  std::vector<std::string> index = {"index.html"};  ///< sent for a folder; the first that is there
  bool lists_folders = false;                       ///< a page of names for a folder without an index
  bool shows_dot_files = false;                     ///< names that begin with '.'
  served_links links = served_links::none;
  std::string cache_control = {};  ///< e.g. "max-age=3600"; empty: none
  bool has_precompressed = false;  ///< NAME.br or NAME.gz is sent for NAME to those who accept it
  std::map<std::string, std::string> types = {};  ///< media types of endings, "wasm", beside content_type_of
  std::size_t listed_max = 1000;                  ///< names on a page
};

/// A handler that sends files below a folder:
///
///     server.get("/static/{path...}", http::static_files("/srv/site"));
///
/// Nothing outside of the folder can be had, whatever the path says and whoever renames and links things
/// there meanwhile: each name is looked up by the kernel below the open folder (openat2), or, where it
/// cannot, name by name without links. What is not there, no regular file or not allowed is answered with
/// 404; a folder's name without '/' at its end by a redirect. Conditions, ranges and HEAD are as send_content
/// does them; the ETag is made of the file's time, size and number. All look-ups are on the pool (see files).
/// handler_timeout bounds the look-up, and write_timeout each piece of what is sent.
///
/// The folder is looked up anew for each request, so it may be replaced as a whole. Throws weft::error where
/// it is not there when the handler is made, which looks at once.
class static_files {
 public:
  /// Throws weft::error where the folder is not there now: it looks at once, without the pool.
  explicit static_files(std::string folder, static_options options = {});

  void operator()(request& in, response& out) const;

 private:
  struct shared;
  std::shared_ptr<const shared> shared_;  // also of look-ups that were given up
};

}  // namespace weft::inline v1::http
