#include "users.hpp"

#include "welcome.hpp"

namespace signup {

users::users(weft::jobs::queue& queue) : queue_(queue) {
  queue_.transact([](weft::jobs::transaction& tx) {
    tx.execute(
        "CREATE TABLE IF NOT EXISTS users ("
        "  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
        "  password_hash TEXT NOT NULL, mail_job TEXT NOT NULL) STRICT");
  });
}

std::optional<weft::jobs::job_id> users::add(const person& who, const std::string& password_hash) {
  std::optional<weft::jobs::job_id> mail;
  try {
    queue_.transact([&](weft::jobs::transaction& tx) {
      const auto job = tx.push(welcome({.name = who.name, .email = who.email}), {.max_attempts = 5});
      tx.execute("INSERT INTO users (email, name, password_hash, mail_job) VALUES (?, ?, ?, ?)", who.email,
                 who.name, password_hash, to_string(job));
      mail = job;
    });
  } catch (const weft::error& refused) {
    if (refused.code() != weft::errc::already_exists) throw;
    return std::nullopt;
  }
  return mail;
}

std::vector<stored_user> users::all() {
  std::vector<stored_user> found;
  queue_.transact([&](weft::jobs::transaction& tx) {
    for (const auto& row : tx.query("SELECT email, mail_job FROM users ORDER BY id")) {
      found.push_back({std::get<std::string>(row.at(0)), std::get<std::string>(row.at(1))});
    }
  });
  return found;
}

}  // namespace signup
