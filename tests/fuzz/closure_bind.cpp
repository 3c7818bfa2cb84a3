// A stored closure from outside, `identity newline arguments`: bound, or refused without an exception; and
// what was bound gives back arguments that bind again and run to the same.
#include <weft/closure/closure.hpp>
#include <weft/closure/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "fuzz/check.hpp"

namespace {

struct user_id {
  std::int64_t id = 0;
  std::optional<std::string> mail;
};
WEFT_DESCRIBE(user_id, id, mail);

[[maybe_unused]] void never_run() {
  using many = std::map<std::string, std::vector<std::uint8_t>>;
  using either = std::variant<bool, weft::bytes, double>;
  weft::closure c{weft::named_closure<"fuzz.all">([](std::int32_t number, user_id id, many lists, either one,
                                                     std::optional<std::string> last) {
                    return std::tuple(number, id, lists, one, last);
                  }),
                  1,
                  user_id{},
                  many{},
                  either{},
                  "x"};
  weft::closure d{weft::named_closure<"fuzz.none">([] { return std::tuple(); })};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view identity = input.substr(0, input.find('\n'));
  const std::string_view arguments = input.substr(std::min(size, identity.size() + 1));
  const auto bound = weft::closure_registry::bind(identity, arguments);
  if (!bound) {
    fuzz_check(!bound.refusal().message.empty(), "a refusal says why");
    return 0;
  }
  weft::services none;
  const std::string once = (*bound)(none);
  const auto again = weft::closure_registry::bind(identity, once);
  fuzz_check(again.has_value(), "what was bound can be written and bound again");
  fuzz_check((*again)(none) == once, "the same arguments give the same result");
  return 0;
}
