#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace weft::inline v1::http {

/// Makes requests, one to three in a row, that are right or, more often, not quite: by the grammar first,
/// then with a few bytes or lines changed. The same seed gives the same ones.
class request_generator {
 public:
  explicit request_generator(std::uint64_t seed) : random_(seed) {}
  std::string make();

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t times) { return below(times) == 0; }
  std::string a_request();
  std::string a_target(const std::string& method);
  std::string a_value();
  std::string a_chunked_body();
  std::string some_text(std::size_t length_max);
  void change(std::string& bytes);

  std::mt19937_64 random_;
};

}  // namespace weft::inline v1::http
