#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "workers/chaos/callers.hpp"

namespace weft_test {

/// A client of a listening server that does everything wrong: says nothing, garbage, half of what it should,
/// goes in the middle of a call, in both protocols. It expects no answers, only that nobody else suffers.
class intruder {
 public:
  intruder(std::string socket_path, slot_folder slots, std::uint64_t seed)
      : path_(std::move(socket_path)), slots_(std::move(slots)), random_(seed) {}

  /// Connects that many times; gives how often it could.
  std::uint64_t run(std::uint64_t times);

 private:
  std::string words();
  std::string native_words(bool whole);
  std::string old_words();

  std::string path_;
  slot_folder slots_;
  std::mt19937_64 random_;
};

}  // namespace weft_test
