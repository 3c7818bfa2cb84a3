// Texts of key files from outside: read or refused, and what was read is the same after it was written again.
#include <weft/core/error.hpp>
#include <weft/wire/key_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/check.hpp"
#include "wire/key_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weft::wire::key_file;
  const auto text = weft::as_text(std::as_bytes(std::span{data, size}));
  try {
    const key_file read = key_file::parse(text, "input");
    const auto written = weft::wire::key_text(read.keys, read.retired, read.comments);
    const key_file again = key_file::parse(weft::as_text(written.data()), "output");
    fuzz_check(again.keys.size() == read.keys.size() && again.retired.size() == read.retired.size() &&
                   again.comments == read.comments,
               "a key file comes back as it was");
    for (std::size_t i = 0; i < read.keys.size(); ++i) {
      fuzz_check(again.keys[i].id() == read.keys[i].id() &&
                     again.keys[i].created() == read.keys[i].created() &&
                     std::ranges::equal(again.keys[i].secret(), read.keys[i].secret()),
                 "a key comes back as it was");
    }
    for (std::size_t i = 0; i < read.retired.size(); ++i) {
      fuzz_check(
          again.retired[i].id == read.retired[i].id && again.retired[i].retired == read.retired[i].retired,
          "a retired key comes back as it was");
    }
  } catch (const weft::error&) {
  }
  return 0;
}
