#include <cstdint>
#include <cstring>
#include <string>

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <weft/process/self.hpp>

namespace weft::inline v1::process {

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

// The GNU build id among the notes of one segment; empty if it is not there.
std::string id_in_notes(const unsigned char* at, std::size_t bytes) {
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
    if (whole > bytes) break;
    const unsigned char* const name = at + sizeof note;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
      return to_hex(name + padded(note.n_namesz), note.n_descsz);
    }
    at += whole;
    bytes -= whole;
  }
  return {};
}

// Called for the main program first; one object is enough.
int find_in_program(dl_phdr_info* info, std::size_t, void* into) {
  auto& found = *static_cast<std::string*>(into);
  for (int i = 0; i < info->dlpi_phnum && found.empty(); ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* const notes = reinterpret_cast<const unsigned char*>(info->dlpi_addr + segment.p_vaddr);
    found = id_in_notes(notes, segment.p_memsz);
  }
  return 1;
}

std::string file_identity() {
  struct stat file {};
  if (::stat(own_program, &file) != 0) return "unknown";
  return "file-" + std::to_string(file.st_dev) + "-" + std::to_string(file.st_ino) + "-" +
         std::to_string(file.st_size) + "-" + std::to_string(file.st_mtim.tv_sec) + "." +
         std::to_string(file.st_mtim.tv_nsec);
}

std::string find_build_id() {
  std::string found;
  ::dl_iterate_phdr(&find_in_program, &found);
  return found.empty() ? file_identity() : found;
}

}  // namespace

const std::string& build_id() {
  static const std::string id = find_build_id();
  return id;
}

}  // namespace weft::inline v1::process
