#include "fiber/cell_pool.hpp"

#include <new>

namespace weft::inline v1::detail {

cell_pool::~cell_pool() {
  for (free_line& line : free_) {
    while (line.first != nullptr) {
      free_cell* const next = line.first->next;
      ::operator delete(line.first);
      line.first = next;
    }
  }
}

void* cell_pool::allocate(std::size_t bytes) {
  const std::size_t size_class = (bytes - 1) / cell_bytes;
  if (size_class >= classes || free_[size_class].first == nullptr) return ::operator new(whole_cells(bytes));
  free_line& line = free_[size_class];
  free_cell* const cell = line.first;
  line.first = cell->next;
  --line.count;
  return cell;
}

void cell_pool::deallocate(void* memory, std::size_t bytes) noexcept {
  const std::size_t size_class = (bytes - 1) / cell_bytes;
  if (size_class >= classes || free_[size_class].count >= kept_max) {
    ::operator delete(memory);
    return;
  }
  free_line& line = free_[size_class];
  line.first = ::new (memory) free_cell{line.first};
  ++line.count;
}

}  // namespace weft::inline v1::detail
