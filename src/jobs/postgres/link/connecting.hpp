#pragma once

#include <memory>

#include "jobs/postgres/link/address.hpp"

struct pg_conn;

namespace weft::inline v1::jobs::postgres {

/// A connected session of libpq, which does not block. Waits, as connection::open says. Throws
/// database_error.
std::shared_ptr<pg_conn> connect(const address& to);

}  // namespace weft::inline v1::jobs::postgres
