#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/jobs/queue.hpp>

#include "people.hpp"

namespace signup {

/// A user as he is stored.
struct stored_user {
  std::string email;
  std::string mail_job;  ///< number of the job that sends the welcome mail
};

/// The users, in a table of the queue's own database, so that user and mail are one transaction.
class users {
 public:
  /// Makes the table if it is missing.
  explicit users(weft::jobs::queue& queue);

  /// Stores the user and pushes the welcome mail, both or neither. Gives the job's number; nothing if
  /// the address has signed up before.
  std::optional<weft::jobs::job_id> add(const person& who, const std::string& password_hash);

  /// All users, in the order in which they signed up.
  std::vector<stored_user> all();

 private:
  weft::jobs::queue& queue_;
};

}  // namespace signup
