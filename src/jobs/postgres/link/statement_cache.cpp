#include "jobs/postgres/link/statement_cache.hpp"

#include <array>
#include <charconv>
#include <cstdint>

#include "jobs/postgres/link/wire_parameters.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

/// FNV-1a; two of them from different starts, since 64 bits of it are few for a name that must not be shared.
class text_hash {
 public:
  explicit text_hash(std::uint64_t start) noexcept : value_(start) {}
  void add(unsigned char byte) noexcept { value_ = (value_ ^ byte) * 0x100000001b3U; }
  std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_;
};

void append_hex(std::string& to, std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  to.append(digits.data(), end.ptr);
}

}  // namespace

std::string statement_cache::name_of(std::string_view sql, const parameters& with) {
  text_hash one(0xcbf29ce484222325U);
  text_hash other(0x9e3779b97f4a7c15U);
  const auto add = [&](unsigned char byte) {
    one.add(byte);
    other.add(static_cast<unsigned char>(~byte));
  };
  for (const char c : sql) add(static_cast<unsigned char>(c));
  const wire_parameters wire(with);
  for (int i = 0; i < wire.count(); ++i) {
    for (unsigned int type = wire.types()[i], left = 4; left > 0; --left, type >>= 8U) {
      add(static_cast<unsigned char>(type & 0xffU));
    }
  }
  std::string name = "weft_";
  append_hex(name, one.value());
  name += '_';
  append_hex(name, other.value());
  return name;
}

}  // namespace weft::inline v1::jobs::postgres
