#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weft/core/unique_fd.hpp>
#include <weft/net/files.hpp>

struct stat;

// What is done on the pool's threads. All of it may block.

namespace weft::inline v1::files::detail {

info info_of(const struct ::stat& seen) noexcept;
info info_of(int fd, const std::string& name);
unique_fd open_file(const std::string& path, int flags, unsigned permissions = 0);
/// At most `bytes_max` bytes: fewer at the end. A negative offset: from the position on.
std::string read_some(int fd, std::int64_t offset, std::size_t bytes_max, const std::string& name);
/// All of them. A negative offset: at the position.
void write_all(int fd, std::int64_t offset, std::string_view bytes, const std::string& name);
void sync_file(int fd, const std::string& name);
/// The folder that a path's last part is in.
std::string folder_of(const std::string& path);

}  // namespace weft::inline v1::files::detail
