#pragma once

#include <string>
#include <vector>

#include <weft/codec/codec.hpp>

// Described types that several tests of codec and wire share.
namespace samples {

enum class colour { red, green };
WEFT_DESCRIBE_ENUM(colour, red, green);

struct person {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> mail;
  std::vector<std::string> tags;
  colour favourite = colour::red;

  bool operator==(const person&) const = default;
};
WEFT_DESCRIBE(person, id, name, mail, tags, favourite);

inline person some_person() { return {42, "Ada", {}, {"a", "b"}, colour::green}; }

struct settings {
  int port = 80;
  bool fast = true;
};
WEFT_DESCRIBE(settings, port, fast);
WEFT_MISSING_IS_DEFAULT(settings);

struct tree {
  std::string name;
  std::vector<tree> children;
  WEFT_DESCRIBE_MEMBERS(name, children);
};

}  // namespace samples
