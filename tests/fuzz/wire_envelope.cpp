// Envelopes from outside, and the fields in them. Nobody without the key makes one that is accepted, and a
// list of fields has one form only.
#include <weft/core/error.hpp>
#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/check.hpp"

namespace {

using span = std::span<const std::byte>;

const weft::wire::key_ring& keys() {
  static const weft::wire::key_ring ring{weft::wire::key::generate("a")};
  return ring;
}

void refuse(span outside) {
  try {
    (void)weft::wire::verify(keys(), "fuzz", outside);
    fuzz_check(false, "an envelope that was not signed here is refused");
  } catch (const weft::error&) {
  }
  try {
    (void)weft::wire::key_id_of(outside);
  } catch (const weft::error&) {
  }
}

// Signs what came in, changes one bit, and expects a refusal.
void change(span outside) {
  weft::bytes envelope = weft::wire::sign(keys(), "fuzz", outside);
  const weft::bytes body = weft::wire::verify(keys(), "fuzz", envelope);
  fuzz_check(std::equal(body.begin(), body.end(), outside.begin(), outside.end()),
             "the body comes back as it was");
  std::size_t place = outside.size();
  for (const std::byte one : outside) place = place * 31 + std::to_integer<std::size_t>(one);
  envelope[place % envelope.size()] ^= std::byte{1} << (place / envelope.size() % 8);
  refuse(envelope);
}

// Reads fields, each as the kind that the input asks for, and writes what was read.
void read_fields(std::span<const std::uint8_t> kinds, span fields) {
  weft::wire::canonical_reader reader{fields};
  weft::wire::canonical_writer writer;
  try {
    for (const std::uint8_t kind : kinds) {
      switch (kind % 5) {
        case 0:
          writer.text(reader.text());
          break;
        case 1:
          writer.binary(reader.binary());
          break;
        case 2:
          writer.integer(reader.integer());
          break;
        case 3:
          writer.unsigned_integer(reader.unsigned_integer());
          break;
        default:
          if (reader.take_absent()) writer.absent();
      }
    }
    reader.expect_end();
  } catch (const weft::error&) {
    return;
  }
  fuzz_check(std::equal(fields.begin(), fields.end(), writer.data().begin(), writer.data().end()),
             "a list of fields has one form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span input{data, size};
  const std::size_t kinds = std::min<std::size_t>(data[0] % 8, size - 1);
  const span rest = std::as_bytes(input.subspan(1 + kinds));
  refuse(rest);
  change(rest);
  read_fields(input.subspan(1, kinds), rest);
  return 0;
}
