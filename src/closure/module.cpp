#include "closure/module.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include <elf.h>
#include <link.h>

#include <weft/closure/registry.hpp>

namespace weft::inline v1 {
namespace detail {
namespace {

struct search {
  std::uintptr_t address;
  module_info found;
};

std::string to_hex(const unsigned char* data, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += digits[data[i] >> 4];
    text += digits[data[i] & 15];
  }
  return text;
}

// A note segment is a list of: name size, content size, type, name, content; padded to the segment's
// alignment.
std::string build_id_in(const char* notes, std::size_t size, std::size_t alignment) {
  const auto padded = [&](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  std::size_t at = 0;
  while (at + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes + at, sizeof head);
    const std::size_t name = at + sizeof head;
    const std::size_t content = padded(name + head.n_namesz);
    const std::size_t next = padded(content + head.n_descsz);
    if (content + head.n_descsz > size || next <= at) break;
    if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0) {
      return to_hex(reinterpret_cast<const unsigned char*>(notes + content), head.n_descsz);
    }
    at = next;
  }
  return {};
}

bool holds(const dl_phdr_info& module, std::uintptr_t address) {
  const std::span segments(module.dlpi_phdr, module.dlpi_phnum);
  return std::any_of(segments.begin(), segments.end(), [&](const auto& segment) {
    const std::uintptr_t begin = module.dlpi_addr + segment.p_vaddr;
    return segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz;
  });
}

int look_at(dl_phdr_info* module, std::size_t, void* data) {
  auto& wanted = *static_cast<search*>(data);
  if (!holds(*module, wanted.address)) return 0;
  wanted.found.found = true;
  wanted.found.base = module->dlpi_addr;
  for (const auto& segment : std::span(module->dlpi_phdr, module->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE || !wanted.found.build_id.empty()) continue;
    const auto* const notes = reinterpret_cast<const char*>(module->dlpi_addr + segment.p_vaddr);
    wanted.found.build_id = build_id_in(notes, segment.p_memsz, segment.p_align == 8 ? 8 : 4);
  }
  return 1;
}

}  // namespace

module_info module_of(const void* address) {
  search wanted{reinterpret_cast<std::uintptr_t>(address), {}};
  dl_iterate_phdr(&look_at, &wanted);
  return wanted.found;
}

}  // namespace detail

std::string program_build_id() {
  detail::module_info program;
  // The program itself is the first module.
  const auto first = [](dl_phdr_info* module, std::size_t size, void* data) {
    for (const auto& segment : std::span(module->dlpi_phdr, module->dlpi_phnum)) {
      if (segment.p_type != PT_LOAD) continue;
      detail::search wanted{module->dlpi_addr + segment.p_vaddr, {}};
      detail::look_at(module, size, &wanted);
      *static_cast<detail::module_info*>(data) = wanted.found;
      break;
    }
    return 1;
  };
  dl_iterate_phdr(first, &program);
  return program.build_id;
}

}  // namespace weft::inline v1
