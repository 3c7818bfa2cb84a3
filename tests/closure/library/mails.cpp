#include <string>

#include <weft/closure/closure.hpp>

// In a library that nothing refers to; only weft_jobs() brings it into the program.
namespace {

[[maybe_unused]] void send_welcome(const std::string& to) {
  weft::closure c{weft::named_closure<"library.welcome">([](std::string) {}), to};
}

}  // namespace
