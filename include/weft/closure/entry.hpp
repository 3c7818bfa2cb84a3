#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/identity.hpp>
#include <weft/closure/parameter.hpp>
#include <weft/closure/run_place.hpp>
#include <weft/codec/decoder.hpp>
#include <weft/codec/encoder.hpp>

namespace weft::inline v1 {
class services;
}

namespace weft::inline v1::detail {

/// A function with its arguments, of whatever types.
class closure_call {
 public:
  virtual ~closure_call();
  /// The arguments as a list.
  virtual void encode_arguments(encoder& out) const = 0;
  /// Runs the function and writes its result; null for void.
  virtual void run_encoded(services& from, encoder& out) const = 0;
};

/// The same where the result is known.
template <typename Result>
class typed_call : public closure_call {
 public:
  virtual Result run(services& from) const = 0;
};

/// One closure of the program; a static object, put in the registry before main. Its address within
/// its module is what an unnamed closure is known by, so there is one per lambda expression.
struct closure_entry {
  // constant after construction
  std::string_view name;       // empty for an unnamed one
  std::string_view name_file;  // place of the name, for a named one
  std::uint32_t name_line;
  std::uint32_t name_column;
  std::string_view type;  // as the compiler spells it
  std::string_view unit;  // the file that was compiled
  run_place runs_in;      // guarded by the registry
  std::string (*schema)();
  std::string (*result_schema)();
  std::vector<requirement> (*requirements)();
  std::shared_ptr<const closure_call> (*decode)(decoder& arguments);

  // Written once, by the first closure that is made of it.
  std::atomic<const char*> file{nullptr};
  std::atomic<std::uint64_t> line_and_column{0};
  std::atomic<const closure_identity*> identity{nullptr};  // made when first asked for; never freed

  closure_entry* next = nullptr;  // guarded by the registry
};

/// Puts an entry in the registry. A second closure of one name, or one that is to run in two places, ends the
/// program with a message that has both.
bool register_closure(closure_entry& entry) noexcept;

void set_place(closure_entry& entry, const std::source_location& place) noexcept;
const closure_identity& identity_of(closure_entry& entry);
closure_place place_of(const closure_entry& entry);
std::string_view service_of_request(const closure_entry& entry);

/// Moves to the next argument; false where there are no more.
bool next_argument(decoder& in, bool& at_end);
[[noreturn]] void throw_missing_argument(decoder& in, std::size_t position);
void expect_no_more_arguments(decoder& in, bool at_end, std::size_t size);

}  // namespace weft::inline v1::detail
