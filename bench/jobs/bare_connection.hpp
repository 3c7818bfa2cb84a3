#pragma once

#include <string>

#include <libpq-fe.h>

#include "support/figure.hpp"

namespace weft::bench {

/// A connection of libpq, and statements on it that must succeed.
class bare_connection {
 public:
  explicit bare_connection(const std::string& url) : own_(PQconnectdb(url.c_str())) {
    if (PQstatus(own_) != CONNECTION_OK) throw unavailable(PQerrorMessage(own_));
  }
  bare_connection(const bare_connection&) = delete;
  bare_connection& operator=(const bare_connection&) = delete;
  ~bare_connection() { PQfinish(own_); }

  void run(const std::string& statement) { check(PQexec(own_, statement.c_str())); }
  void prepare_insert() {
    check(PQprepare(own_, "insert", "INSERT INTO bare (envelope) VALUES ($1)", 1, nullptr));
  }
  void insert() {
    const char* const values[] = {envelope_.c_str()};
    check(PQexecPrepared(own_, "insert", 1, values, nullptr, nullptr, 0));
  }

 private:
  void check(PGresult* result) {
    const auto status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw unavailable(PQerrorMessage(own_));
  }

  PGconn* own_;
  std::string envelope_ = std::string(300, 'x');
};

}  // namespace weft::bench
