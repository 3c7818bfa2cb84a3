#pragma once

#include <array>
#include <cstddef>

namespace weft::inline v1::detail {

/// Memory for fiber blocks in cells of whole 64 bytes, reused last-in first-out. One thread's. Cells
/// come from, and may go back to, the heap at any time, so that one may be freed on another thread.
class cell_pool {
 public:
  cell_pool() = default;
  cell_pool(const cell_pool&) = delete;
  cell_pool& operator=(const cell_pool&) = delete;
  ~cell_pool();

  void* allocate(std::size_t bytes);
  void deallocate(void* memory, std::size_t bytes) noexcept;

  /// What a block of `bytes` takes, in the pool or not.
  static constexpr std::size_t whole_cells(std::size_t bytes) noexcept {
    return (bytes + cell_bytes - 1) / cell_bytes * cell_bytes;
  }

 private:
  static constexpr std::size_t cell_bytes = 64;
  static constexpr std::size_t classes = 16;
  static constexpr std::size_t kept_max = 65536;  // of each class

  struct free_cell {
    free_cell* next;
  };
  struct free_line {
    free_cell* first = nullptr;
    std::size_t count = 0;
  };
  std::array<free_line, classes> free_;
};

}  // namespace weft::inline v1::detail
