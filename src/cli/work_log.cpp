#include "cli/work_log.hpp"

#include <unistd.h>

#include <utility>

#include <weft/log/file_sink.hpp>
#include <weft/log/format.hpp>

namespace weft::inline v1::cli {

work_log::work_log(const work_options& how) {
  log::set_level(how.log_level);
  write_to(open(how), how);
}

std::shared_ptr<log::sink> work_log::open(const work_options& how) const {
  if (!how.log_file.empty()) {
    return std::make_shared<log::file_sink>(
        log::file_sink_options{.path = how.log_file, .format = how.log_format});
  }
  if (in_use_ == nullptr) return nullptr;
  return std::make_shared<log::stream_sink>(
      log::stream_sink_options{.fd = STDERR_FILENO, .format = how.log_format});
}

void work_log::write_to(std::shared_ptr<log::sink> next, const work_options& how) {
  log::set_default_format(how.log_format);
  if (next == nullptr) return;
  log::add_sink(next);
  if (in_use_ != nullptr) log::remove_sink(in_use_);
  in_use_ = std::move(next);
}

}  // namespace weft::inline v1::cli
