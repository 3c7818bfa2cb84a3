#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/core/unique_fd.hpp>

/// Files, without holding the loop: every call is done on a thread of the pool behind weft::blocking, and the
/// caller waits for it.
///
/// Thread-safety: from any fiber or thread. Cancellation, and the task's deadline, free the caller at once. A
/// call that no thread has begun is left out then; one that a thread works on is done to its end, and what it
/// gives is dropped: a file that was to be opened is closed, what was to be written is written. Errors:
/// weft::error with the path and the system's reason, e.g. not_found, refused, storage_full;
/// invalid_argument for a path with a zero byte; resource_exhausted where too many calls wait for a thread.
/// Paths are relative to the process's folder at that moment.
namespace weft::inline v1::files {

enum class kind : unsigned char { file, folder, link, other };

/// What the system knows of a file.
struct info {
  files::kind kind = kind::other;
  std::uint64_t bytes = 0;
  std::chrono::system_clock::time_point modified = {};
  unsigned permissions = 0;  ///< the lower 12 bits of st_mode
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t links = 0;
};

/// What happens to a symbolic link at the end of a path.
enum class links : unsigned char { follow, keep };

/// Nothing where there is no such file.
std::optional<info> stat(std::string path, links at_end = links::follow);

constexpr std::size_t read_bytes_max = 64 * 1024 * 1024;

/// The content of a regular file, also of one whose size the system does not say, as in /proc. Throws
/// weft::error: too_large for more than `bytes_max`, unsupported for what is no regular file.
std::string read_file(std::string path, std::size_t bytes_max = read_bytes_max);

/// What write_file has done when it returns.
enum class durability : unsigned char {
  none,             ///< readers see the new content; the system writes it to the disk when it likes
  file,             ///< after a power loss the file has its old content or its new one, never a part
  file_and_folder,  ///< after a power loss it has the new one
};

struct write_options {
  files::durability durability = durability::file;
  unsigned permissions = 0666;  ///< of a new file, without the process's umask; one that exists keeps its own
};

/// Writes a file as a whole: beside it, in a temporary file ".NAME.XXXXXX", which is then renamed. Readers
/// see the old content or the new one. A failure leaves the old one and no temporary file; a process that is
/// killed may leave that. A symbolic link is replaced, not followed.
void write_file(std::string path, std::string content, write_options options = {});

/// What happens where the new name is in use.
enum class when_there : unsigned char { replace, refuse };

/// Throws weft::error: already_exists where it shall refuse; unsupported where a file system cannot refuse.
void rename(std::string from, std::string to, when_there then = when_there::replace);

/// Removes a file, a symbolic link or an empty folder; false where there is none.
bool remove(std::string path);

enum class parents : unsigned char { make, must_exist };

/// False where the folder is there already.
bool make_folder(std::string path, parents above = parents::must_exist, unsigned permissions = 0777);

/// What was renamed, made or removed in a folder is on the disk when it returns.
void sync_folder(std::string path);

/// One thing that a walk found.
struct entry {
  std::string path;  ///< below the folder that is walked, with '/' between
  files::info info;
  std::string problem;  ///< why it could not be looked at or into; empty if it could
};

struct walk_options {
  std::size_t depth_max = 64;         ///< folders below one another; 1: that folder alone. At most 256
  std::size_t entries_max = 100'000;  ///< of all folders together
};

struct walked {
  std::vector<entry> entries;  ///< a folder before what is in it; each folder in the order of bytes
  bool is_cut = false;         ///< there was more than the bounds allow
};

/// All that is below a folder. Symbolic links are listed and never followed, also where a folder is made one
/// during the walk. What vanishes meanwhile is left out. An abandoned walk ends at the next entry.
walked walk(std::string folder, walk_options options = {});

/// What a file is opened for.
enum class mode : unsigned char {
  read,        ///< it must be there
  write,       ///< made or emptied
  append,      ///< made where it is not there; writes go to its end
  update,      ///< made where it is not there; reading and writing
  create_new,  ///< reading and writing; already_exists where it is there
};

struct open_options {
  unsigned permissions = 0666;   ///< of a new file, without the process's umask
  links at_end = links::follow;  ///< keep: a link is refused
};

/// An open file. A call that was given up keeps the descriptor until it has ended.
///
/// Thread-safety: calls with an offset from any number of tasks; read() and write() move the file's position
/// and are for one task at a time. Named pipes and terminals are opened as well, and a read there keeps a
/// thread of the pool until something comes.
class file {
 public:
  file() noexcept = default;
  static file open(std::string path, mode how = mode::read, open_options options = {});
  /// Takes over a descriptor; `name` stands in messages.
  file(unique_fd opened, std::string name);
  file(file&&) noexcept = default;
  file& operator=(file&&) noexcept = default;
  /// Closes on this thread, and drops what the system says to that: see close().
  ~file() = default;

  bool is_open() const noexcept { return shared_ != nullptr; }
  int fd() const noexcept;

  /// At most `bytes_max` bytes from the position on; fewer only at the end of a regular file, where it is
  /// empty.
  std::string read(std::size_t bytes_max);
  std::string read_at(std::uint64_t offset, std::size_t bytes_max);
  /// Brings a part into memory, so that stream::send_file need not wait for the disk: nothing is done where
  /// it is there already, which costs two system calls.
  void load(std::uint64_t offset, std::size_t bytes);
  /// All of `bytes`; where that fails in the middle, a part was written.
  void write(std::string bytes);
  void write_at(std::uint64_t offset, std::string bytes);
  files::info stat();
  /// Makes it that long: cut, or with zeros behind.
  void resize(std::uint64_t bytes);
  /// What was written is on the disk when it returns.
  void sync();
  /// Closes it, on the pool; throws what a file system found out only now. Calling it again has no effect.
  void close();

 private:
  struct shared;
  const std::shared_ptr<shared>& opened() const;
  std::shared_ptr<shared> shared_;
};

}  // namespace weft::inline v1::files
