#include <weft/executor/repeat.hpp>

namespace weft::inline v1::detail {

future<void> all_ended(std::vector<future<void>> tasks) { return when_all(std::move(tasks)).discard(); }

}  // namespace weft::inline v1::detail
