#include "jobs/sqlite/turn_queue.hpp"

#include <algorithm>

namespace weft::inline v1::jobs::sqlite {

void turn_queue::take(std::vector<request*>& taken) {
  request_line::take(taken);
  std::stable_sort(taken.begin(), taken.end(),
                   [](const request* left, const request* right) { return left->kind < right->kind; });
}

}  // namespace weft::inline v1::jobs::sqlite
