#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace weft::inline v1::jobs::postgres {

/// Of a job in its line.
struct line_place {
  std::int64_t run_at = INT64_MIN;
  std::int64_t id = INT64_MIN;
  auto operator<=>(const line_place&) const = default;
};

/// What the claims of a line pass over, cut into slices of some thousand jobs, each as much as one look
/// reads.
///
/// The cuts are where claims have been. A slice that read more than that, as others have claimed from it,
/// too, is cut in two by its times; those that have come to read little, as the server has cleaned up, grow
/// together.
class line_slices {
 public:
  struct slice {
    line_place from;
    line_place to;  // but for the one there
  };

  /// So many jobs were claimed, the last of them from there.
  void claimed(std::size_t jobs, line_place last);
  /// The one that begins at a place; none if that is the mark, up to which all is passed over.
  std::optional<slice> next(line_place from, line_place mark) const;
  /// A look over it read so many pages.
  void was_read(const slice& one, std::int64_t pages);

 private:
  struct cut {
    line_place at;
    std::int64_t pages = 0;  // of the slice that ends here, as far as known
  };

  static constexpr std::int64_t usual_reach = 16'000'000;

  std::optional<line_place> middle(const slice& of);
  void make_room();

  std::vector<cut> cuts_;  // in their order
  std::size_t since_cut_ = 0;
  // How much of the first slice, which has no beginning, is cut off: more each time, until it has grown
  // again.
  std::int64_t first_reach_ = usual_reach;
};

}  // namespace weft::inline v1::jobs::postgres
