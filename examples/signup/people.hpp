#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/executor/thread_pool.hpp>

namespace signup {

/// Who wants to sign up: the body of POST /signup.
struct person {
  std::string name;
  std::string email;
  std::string password;
};
WEFT_DESCRIBE(person, name, email, password);

/// Why `who` is refused, in words for the user; nothing if all is well.
std::optional<std::string> complaint_about(const person& who);

/// One row of the list of people.
struct listed_person {
  std::size_t line = 0;
  std::optional<person> who;  ///< none: the row could not be read
  std::string complaint;      ///< why not
};

/// Reads the list and checks its rows on the pool; the first row holds the column names.
std::vector<listed_person> load_people(const std::string& path, weft::thread_pool& pool);

}  // namespace signup
